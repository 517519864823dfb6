import { CodedError } from '../../cni/host/coded-error.ts'
/** What kept the CNI files from being put in place or taken away. */
export class InstallError extends CodedError<'BinaryMissing' | 'NoToken' | 'CannotWrite' | 'CannotRemove'> {
  override readonly name = 'InstallError'
}
