// Stands in for node-gyp-build inside the agent's bundle.
module.exports = () => require(`${__dirname}/netlink-${process.arch}.node`)
