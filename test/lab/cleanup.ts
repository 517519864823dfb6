/** Steps that undo what was made, run in reverse order. A step that fails does not stop the others. */
export class Cleanup {
  readonly #steps: { readonly name: string; readonly undo: () => Promise<unknown> | unknown }[] = []

  add(name: string, undo: () => Promise<unknown> | unknown): void {
    this.#steps.push({ name, undo })
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

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
