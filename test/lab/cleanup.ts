import { messageOf } from '../../cni/host/system-error.ts'

/** Steps that undo what was made, run in reverse order. A step that fails does not stop the others. */
export class Cleanup {
  readonly #steps: { readonly name: string; readonly undo: () => Promise<unknown> | unknown }[] = []
  #closed = false

  /**
   * Adds a step.
   * @throws when closed, though the step will run: whoever is making things must stop making them
   */
  add(name: string, undo: () => Promise<unknown> | unknown): void {
    this.#steps.push({ name, undo })
    if (this.#closed) throw new Error(`${name}: the lab is being taken down`)
  }

  /** Lets nobody go on making things. */
  close(): void {
    this.#closed = true
  }

  /** @throws AggregateError naming every step that failed */
  async run(): Promise<void> {
    const faults: Error[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (cause) {
        faults.push(new Error(`cleaning up: ${step.name}: ${messageOf(cause)}`, { cause }))
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, faults.map(fault => fault.message).join('; '))
  }
}
