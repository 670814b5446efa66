import { main } from "./commands/main";

/** Entry of lab/bin/pulumi. */
export async function launch(argv: readonly string[], guard: string): Promise<void> {
  process.exit(await main(argv, guard));
}
