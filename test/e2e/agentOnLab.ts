/** The agent on a lab's host, as the program would run it, without any engine. */

import { type Lab } from "../../lab/fleet/lab";
import { type Facts } from "../../payload/facts";
import { type Phase, phaseText, probeScript, stageScript } from "../../payload/remoteText";
import { type FactsRequest } from "../../payload/spec";
import { parseFacts, parseVerdict, type Verdict } from "../../payload/verdict";

export class AgentOnLab {
  constructor(
    private readonly lab: Lab,
    readonly host: string,
  ) {}

  /** What a command prints; throws when it fails. */
  async on(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.ssh(this.host, command, { timeout: 300_000 });
    if (code !== 0) throw new Error(`${this.host}: ${command}: ${code} ${stdout} ${stderr}`);
    return stdout.trimEnd();
  }

  async stage(): Promise<void> {
    const { command, stdin } = stageScript();
    const verdict = await this.verdictOf(command, stdin);
    if (!verdict.ok) throw new Error(verdict.error);
  }

  run(phase: Phase, spec: object): Promise<Verdict> {
    return this.verdictOf(phaseText(phase), JSON.stringify(spec));
  }

  async facts(request: FactsRequest): Promise<Facts> {
    const { command, stdin } = probeScript(request);
    const { stdout } = await this.lab.ssh(this.host, command, { input: stdin, timeout: 300_000 });
    const facts = parseFacts(stdout);
    if (!facts.ok) throw new Error(facts.error);
    return facts.value;
  }

  private async verdictOf(command: string, input: string): Promise<Verdict> {
    const { stdout, stderr } = await this.lab.ssh(this.host, command, { input, timeout: 900_000 });
    const verdict = parseVerdict(stdout);
    if (!verdict.ok) throw new Error(`${verdict.error} ${stderr}`);
    return verdict.value;
  }
}
