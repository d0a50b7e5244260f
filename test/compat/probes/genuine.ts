import { Cancelled, OperationAborted } from "creche";

/** Recognise the failure that a probe was meant to cause, by something that no cancellation has. */

const LOOKED_AT = 16;

export function byCode(...codes: readonly (string | number)[]): (error: unknown) => boolean {
  return (error) => chain(error).some(({ code }) => codes.includes(code as string));
}

export function byMessage(pattern: RegExp): (error: unknown) => boolean {
  return (error) => chain(error).some(({ message }) => pattern.test(String(message)));
}

export function byStatus(status: number): (error: unknown) => boolean {
  return (error) =>
    chain(error).some((one) => {
      const { response, $metadata } = one as {
        response?: { status?: number; statusCode?: number };
        $metadata?: { httpStatusCode?: number };
      };
      return [one["status"], response?.status, response?.statusCode, $metadata?.httpStatusCode].includes(status);
    });
}

/** The error, what it is made of, and their causes; not beyond a cancellation, because what that has as its cause has been judged already. */
function chain(error: unknown): readonly Readonly<Record<string, unknown>>[] {
  const found: Record<string, unknown>[] = [];
  const next = [error];
  while (next.length > 0 && found.length < LOOKED_AT) {
    const one = next.shift();
    if (typeof one !== "object" || one === null || one instanceof Cancelled || one instanceof OperationAborted) continue;
    found.push(one as Record<string, unknown>);
    const { cause, errors } = one as { cause?: unknown; errors?: unknown };
    next.push(cause, ...(Array.isArray(errors) ? errors : []));
  }
  return found;
}
