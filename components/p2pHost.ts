import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { describeDrift, type Work } from "../converge/work";
import { type Connection } from "../hosts/plan/types";
import { phaseText } from "../payload/remoteText";
import { type ActivateSpec, type PrepareSpec, type SecretsSpec } from "../payload/spec";
import { type JoinSpec } from "../payload/tailnetJoin";
import { type Ending, endingOf } from "./ending";
import { connectionInputs } from "./connection";

export interface P2pHostArgs {
  readonly connection: Connection;
}

/** The input of a command that carries a secret. */
interface SecretInput {
  readonly stdin: pulumi.Input<string>;
  /** Its verdict tells nothing but names and digests; still, not all of that is for everybody. */
  readonly isOutputSecret: boolean;
}

/** Desired state and what has to be done about it now. */
export interface Step<Spec> {
  readonly spec: Spec;
  readonly work: Work;
}

/**
 * One machine of the fleet: what is installed on it (`prepare`), its secret files (`secrets`) and the
 * running daemon (`activate`). Deleting the component leaves the machine as it is and dials nobody: a host
 * is taken down by converging it to `absent` first (D12).
 *
 * The commands are registered by methods, because a rollout registers a host's `activate` only when its
 * turn has come.
 *
 * @example
 * const host = new P2pHost("gpu-7", { connection });
 * host.prepare({ spec, work: { kind: "needed", drift, nonce } });
 */
export class P2pHost extends pulumi.ComponentResource {
  private readonly connection: command.types.input.remote.ConnectionArgs;
  private last: pulumi.Resource[] = [];

  constructor(
    private readonly hostName: string,
    args: P2pHostArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("p2p:components:P2pHost", hostName, {}, opts);
    this.connection = connectionInputs(args.connection);
    this.registerOutputs({});
  }

  /** Everything that restarts nothing. */
  prepare(step: Step<PrepareSpec>): Promise<Ending> {
    return this.run("prepare", phaseText("prepare"), step);
  }

  /** Files of mode 0600; the whole input is a secret. */
  secrets(step: Step<SecretsSpec>): Promise<Ending> {
    return this.run("secrets", phaseText("secrets"), step, {
      stdin: secretStdinOf(step.spec, step.work),
      isOutputSecret: true,
    });
  }

  /** Logs in to the tailnet. @param key null where none is needed */
  join(step: Step<JoinSpec>, key: pulumi.Output<string> | null): Promise<Ending> {
    // Words of a secret input are masked wherever else they stand, so only the key stands there as it is.
    const spec = Buffer.from(secretStdinOf(step.spec, step.work)).toString("base64");
    const stdin = pulumi.output(key).apply((text) => JSON.stringify({ spec, key: text }));
    return this.run("join", phaseText("join"), step, { stdin, isOutputSecret: false });
  }

  /** Switches the release and waits until it is healthy. */
  activate(step: Step<ActivateSpec>): Promise<Ending> {
    return this.run("activate", phaseText("activate"), step);
  }

  private run(
    suffix: string,
    text: string,
    { spec, work }: Step<object>,
    secret?: SecretInput,
  ): Promise<Ending> {
    const secretOutputs = secret?.isOutputSecret ? ["stdin", "stdout", "stderr"] : ["stdin"];
    const resource = new command.remote.Command(
      `${this.hostName}-${suffix}`,
      {
        connection: this.connection,
        // Without `create` a command never dials, not even a new one: the placeholder of a debt.
        ...(work.kind === "waiting" ? {} : { create: text }),
        stdin: secret === undefined ? stdinOf(spec, work) : pulumi.secret(secret.stdin),
        logging: command.remote.Logging.None,
        // sshd refuses variables it does not know, at the price of a warning for each command.
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        dependsOn: this.last,
        // Only a command with work to do may change: see converge/work.ts.
        ignoreChanges: work.kind === "needed" ? [] : ["*"],
        ...(secret === undefined ? {} : { additionalSecretOutputs: secretOutputs }),
      },
    );
    this.last = [resource];
    return endingOf(resource.stdout, work);
  }
}

/** Nobody can read the difference of a secret, and words in it would be masked wherever else they stand. */
function secretStdinOf(spec: object, work: Work): string {
  return JSON.stringify(work.kind === "needed" ? { ...spec, nonce: work.nonce } : spec);
}

/** JSON with the desired state first, then why the command runs or waits. */
function stdinOf(spec: object, work: Work): string {
  switch (work.kind) {
    case "in-order":
      return JSON.stringify(spec);
    case "needed":
      // The nonce is the key, so that the same drift seen again is a difference again.
      return JSON.stringify({ ...spec, drift: { [work.nonce]: describeDrift(work.drift) } });
    case "waiting":
      return JSON.stringify({ ...spec, waiting: work.why });
  }
}
