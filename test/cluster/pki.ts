import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { runCommand } from '../machine/command.ts'
import type { ApiTarget } from './api-client.ts'

/** A certificate and its key, as PEM files. */
export interface KeyPair {
  readonly certFile: string
  readonly keyFile: string
}

/** Everything that one API server and its clients prove themselves with. */
export interface Pki {
  readonly folder: string
  readonly ca: KeyPair
  readonly server: KeyPair
  readonly admin: KeyPair
  /** Signs the tokens of service accounts. */
  readonly accountKeyFile: string
  readonly accountPublicFile: string
}

/** What a certificate says of its holder: a server by its names, a user by name and groups. */
export interface Subject {
  readonly commonName: string
  readonly groups?: readonly string[]
  readonly names?: readonly string[]
}

// The machine's own openssl.cnf would add extensions that contradict ours.
const bareConfig = '[req]\ndistinguished_name=dn\n[dn]\n'
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']

/** Makes a CA, a serving certificate for `names`, an administrator's certificate and the account key in `folder`. */
export async function makePki(folder: string, names: readonly string[]): Promise<Pki> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, 'openssl.cnf'), bareConfig)
  const ca = pairIn(folder, 'ca')
  await request(folder, ca, ['-x509', '-subj', '/CN=nopal-test-ca'], caExtensions)
  const [server, admin, accounts] = await Promise.all([
    issueCertificate(folder, 'server', { commonName: 'kube-apiserver', names }),
    issueCertificate(folder, 'admin', { commonName: 'kubernetes-admin', groups: ['system:masters'] }),
    makeAccountKey(folder),
  ])
  return { folder, ca, server, admin, ...accounts }
}

/** Issues one more certificate by the CA in `folder`; its files are named `name`.crt and `name`.key. */
export async function issueCertificate(folder: string, name: string, subject: Subject): Promise<KeyPair> {
  const pair = pairIn(folder, name)
  const ca = pairIn(folder, 'ca')
  const issue = ['-x509', '-CA', ca.certFile, '-CAkey', ca.keyFile, '-subj', distinguishedName(subject)]
  await request(folder, pair, issue, leafExtensions(subject))
  return pair
}

/** Issues a certificate that no CA of ours has signed. */
export async function issueStranger(folder: string, name: string): Promise<KeyPair> {
  const subject: Subject = { commonName: 'stranger', names: ['localhost'] }
  await request(folder, pairIn(folder, name), ['-x509', '-subj', distinguishedName(subject)], leafExtensions(subject))
  return pairIn(folder, name)
}

/** Reads a file the way kubeconfigs carry it. */
export async function readBase64(file: string): Promise<string> {
  return (await readFile(file)).toString('base64')
}

const caExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']

function leafExtensions(subject: Subject): string[] {
  const extensions = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature']
  if (subject.names === undefined) return [...extensions, 'extendedKeyUsage=clientAuth']
  const names = subject.names.map(name => `${isIP(name) ? 'IP' : 'DNS'}:${name}`)
  return [...extensions, 'extendedKeyUsage=serverAuth,clientAuth', `subjectAltName=${names.join(',')}`]
}

function distinguishedName(subject: Subject): string {
  // "/" separates the parts, and a node's user name has none, so no escaping is needed.
  return [...(subject.groups ?? []).map(group => `/O=${group}`), `/CN=${subject.commonName}`].join('')
}

function pairIn(folder: string, name: string): KeyPair {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) }
}

async function request(folder: string, pair: KeyPair, args: readonly string[], extensions: readonly string[]) {
  const added = extensions.flatMap(extension => ['-addext', extension])
  const files = ['-config', join(folder, 'openssl.cnf'), '-keyout', pair.keyFile, '-out', pair.certFile]
  await runCommand(['openssl', 'req', ...args, ...newKey, ...files, ...added])
}

async function makeAccountKey(folder: string): Promise<Pick<Pki, 'accountKeyFile' | 'accountPublicFile'>> {
  const accountKeyFile = join(folder, 'accounts.key')
  const accountPublicFile = join(folder, 'accounts.pub')
  await runCommand([
    'openssl',
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-out',
    accountKeyFile,
  ])
  await runCommand(['openssl', 'pkey', '-in', accountKeyFile, '-pubout', '-out', accountPublicFile])
  return { accountKeyFile, accountPublicFile }
}

/** The administrator's way to the server at `url`. */
export async function readTarget(pki: Pki, url: string, socketPath: string | undefined): Promise<ApiTarget> {
  const [ca, cert, key] = await Promise.all(
    [pki.ca.certFile, pki.admin.certFile, pki.admin.keyFile].map(file => readFile(file, 'utf8')),
  )
  if (ca === undefined || cert === undefined || key === undefined) throw new Error('the keys cannot be read')
  return { url, socketPath, ca, cert, key }
}
