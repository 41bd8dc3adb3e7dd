/** What can be expected to go wrong: a person reads the message and, below it, what to do; never a stack trace. */
export class SetupError extends Error {
  /** @param {string} message @param {{ remedy?: string, cause?: unknown }} [options] */
  constructor(message, { remedy = '', cause } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}
