import { setFlagsFromString } from 'node:v8'

// An agent waits nearly all of its life: machine code made for its few busy moments costs 3 MB and saves nothing. This
// holds only for code that has not run yet, so main.ts imports this file before any other.
for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug']) setFlagsFromString(flag)
