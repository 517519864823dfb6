import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'

const folder = join(import.meta.dirname, '../../docs/decisions')
const status = /^Date: \d{4}-\d\d-\d\d\. Status: (accepted|accepted, changed \d{4}-\d\d-\d\d|replaced by \d{4})\.$/

const files = await readdir(folder)
t.ok(files.length > 10, 'there are some')
t.equal(new Set(files.map(file => file.slice(0, 4))).size, files.length, 'each has a number of its own')
for (const file of files) {
  const [title = '', , second = ''] = (await readFile(join(folder, file), 'utf8')).split('\n')
  t.ok(title.startsWith(`# ${file.slice(0, 4)}: `), `${file} has its number in its title`)
  t.match(second, status, `${file} has a date and a status`)
}
