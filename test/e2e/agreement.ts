/** What one engine showed, so that the other has to show the same. */
export class Agreement {
  private readonly known = new Map<string, unknown>();

  /** The first value under a name stands; every later one must equal it, but for times and what belongs to one lab. */
  check(name: string, value: unknown): void {
    const plain = blanked(value);
    if (this.known.has(name)) expect({ [name]: plain }).toEqual({ [name]: this.known.get(name) });
    else this.known.set(name, plain);
  }
}

function blanked(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\d+(\.\d+)? ?(ms|s|min|seconds|minutes)\b/g, "DURATION")
    .replace(/\/run\/fleet-lab\/\w+/g, "LAB");
  return JSON.parse(text) as unknown;
}
