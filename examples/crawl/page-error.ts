/** A page that could not be had. */
export class PageError extends Error {
  override readonly name = "PageError";
  /** As the report counts it: `HTTP 404`, `network`, `too large`. */
  readonly kind: string;
  /** Whether it may be better the next time. */
  readonly isTransient: boolean;

  constructor(kind: string, message: string, isTransient: boolean, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.isTransient = isTransient;
  }
}
