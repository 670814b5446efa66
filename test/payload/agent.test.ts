import {
  compareActivate,
  comparePrepare,
  compareSecrets,
  factsRequest,
} from "../../payload/compare";
import { type Facts } from "../../payload/facts";
import {
  packContent,
  phaseText,
  briefProbeScript,
  probeScript,
  stageScript,
  type Phase,
} from "../../payload/remoteText";
import {
  renderAbsent,
  renderActivate,
  renderPrepare,
  renderSecrets,
  type RenderOptions,
} from "../../payload/render";
import { parseFacts, parseVerdict, type Verdict } from "../../payload/verdict";
import { agentDir, packAgent } from "../../payload/agent";
import { Box } from "./box";
import { planOf } from "./plans";

// Each test ends by itself; a busy machine only takes longer.
jest.setTimeout(900_000);

const obstacle = Box.obstacle();
const HOSTILE = "a'b\"c $(touch /tmp/planted) `id` %h %(ENV_HOME)s\n[x]\\";

const plan = planOf({
  name: "c2",
  connection: { ...planOf().connection, user: "root" },
  supervisor: "own",
  networking: "userspace",
  home: "/root",
  aiServicePath: "/srv/ringrift/ai-service",
  listen: "127.0.0.1",
  environment: { PYTHONPATH: "/srv/ringrift/ai-service", HOSTILE },
});
const options: RenderOptions = {
  inventory: "hosts:\n  c2: {}\n",
  clusterToken: null,
  index: { kind: "wheelhouse", path: "/tmp/wheels" },
  deadlineSeconds: 240,
};
const prepare = renderPrepare(plan, options);
const activate = renderActivate(plan, options);
const contents = Object.fromEntries(
  prepare.files.map(({ digest }) => [digest, packContent(options.inventory ?? "")]),
);
const secrets = renderSecrets(plan, { text: "planted-secret", digest: "hmac:1" });
/** Another release: one variable more. */
const withEnvironment = (more: Record<string, string>, changes: Partial<RenderOptions> = {}) =>
  renderActivate(
    { ...plan, environment: { ...plan.environment, ...more } },
    { ...options, ...changes },
  );

if (obstacle !== null) {
  it(`the agent is not run here: ${obstacle}`, () => undefined);
} else {
  describe("the agent in a container of its own", () => {
    let box: Box;
    let before: string[];
    beforeAll(async () => {
      box = await Box.create();
      before = box.changed();
    });
    afterAll(() => box.destroy());

    function run(phase: Phase, spec: object): Verdict {
      const result = parseVerdict(
        box.exec({ command: phaseText(phase), stdin: JSON.stringify(spec) }),
      );
      if (!result.ok) throw new Error(result.error);
      return result.value;
    }
    function facts(spec = activate, wish = prepare): Facts {
      const result = parseFacts(box.exec(probeScript(factsRequest(wish, spec, secrets))));
      if (!result.ok) throw new Error(result.error);
      return result.value;
    }
    const statuses = (verdict: Verdict) => [...new Set(verdict.steps.map((step) => step.status))];
    const startedAt = () => facts().service?.startedAt;
    /** Looks again until it is so; what it should be by then, the test says itself. */
    const becomes = (is: () => boolean): void => {
      for (const end = Date.now() + 120_000; !is() && Date.now() < end;) box.sh("sleep 0.3");
    };
    const awaitHealth = () =>
      box.sh("until curl -sf http://127.0.0.1:8770/health > /dev/null; do sleep 0.2; done");
    /** Whether a process in the box has a command line that begins like this. */
    const runs = (words: string): boolean =>
      box
        .sh(
          "cd /proc; for pid in [0-9]*; do tr '\\0' ' ' 2> /dev/null < $pid/cmdline; echo; done; true",
        )
        .split("\n")
        .some((line) => line.startsWith(words));

    it("a probe changes nothing", () => {
      expect(facts()).toMatchObject({ error: null, init: "none", elevated: true, traces: [] });
      expect(box.changed()).toEqual(before);
    });

    it("says so when it was not staged", () => {
      expect(run("activate", activate)).toMatchObject({
        ok: false,
        error: "the agent was not staged",
      });
    });

    it("brings everything up, and a second time changes nothing", () => {
      const staged = parseVerdict(box.exec(stageScript(contents)));
      expect(staged.ok && staged.value.steps.map(({ status }) => status)).toEqual([
        "ok",
        "changed",
        "changed",
      ]);
      for (const [phase, spec] of [
        ["prepare", prepare],
        ["secrets", secrets],
        ["activate", activate],
      ] as const) {
        expect(run(phase, spec)).toMatchObject({ phase, ok: true, outcome: "ok" });
      }
      const started = startedAt();
      for (const [phase, spec] of [
        ["prepare", prepare],
        ["secrets", secrets],
        ["activate", activate],
      ] as const) {
        expect(statuses(run(phase, spec))).toEqual(["ok"]);
      }
      expect(startedAt()).toBe(started);
      const seen = facts();
      expect(comparePrepare(prepare, seen)).toEqual([]);
      expect(compareActivate(activate, seen)).toEqual([]);
      expect(compareSecrets(secrets, seen)).toEqual([]);
    });

    it("looks with the agent that it has, unless somebody changed that", () => {
      const PASSING = {
        at: "",
        uptimeSeconds: 0,
        disk: [],
        service: null,
        health: null,
        status: null,
      };
      const brief = briefProbeScript(factsRequest(prepare, activate, secrets));
      const timeless = (found: Facts) => ({ ...found, ...PASSING });
      const result = parseFacts(box.exec(brief));
      expect(result.ok && timeless(result.value)).toEqual(timeless(facts()));
      expect(facts().installedAgent).toBe(packAgent().digest);
      const file = `${agentDir()}/packed`;
      box.sh(`printf x >> ${file}`);
      expect(box.sh(`(${brief.command}) || echo $?`, brief.stdin)).toBe("75\n");
      expect(facts().installedAgent).toBeNull();
      box.exec(stageScript(contents));
      expect(facts().installedAgent).toBe(packAgent().digest);
      box.sh(`mv ${file} ${file}.away`);
      expect(box.sh(`(${brief.command}) || echo $?`, brief.stdin)).toBe("75\n");
      box.sh(`mv ${file}.away ${file}`);
    });

    it("hands values over as data", () => {
      const started = JSON.parse(box.sh("cat /srv/ringrift/ai-service/data/started.json")) as {
        environment: Record<string, string>;
        cwd: string;
      };
      expect(started.environment["HOSTILE"]).toBe(HOSTILE);
      expect(started.cwd).toBe("/srv/ringrift/ai-service");
      expect(box.sh("ls /tmp")).toBe("wheels\n");
    });

    it("keeps a secret in its file alone", () => {
      expect(box.sh("stat -c '%a %U' /etc/ringrift/cluster-token-hmac1")).toBe("600 root\n");
      const places = "/opt/ringrift-p2p/state /opt/ringrift-p2p/releases /var/log/ringrift-p2p";
      expect(box.sh(`grep -rl planted-secret ${places} /etc/ringrift || true`)).toBe(
        "/etc/ringrift/cluster-token-hmac1\n",
      );
    });

    it("finds the edit of a managed file, and mends it without a restart", () => {
      const started = startedAt();
      box.sh("echo EDITED=1 >> /etc/ringrift/node.conf; chmod 600 /etc/ringrift/node.conf");
      expect(compareActivate(activate, facts())).toEqual([
        {
          what: "/etc/ringrift/node.conf",
          want: activate.release.files[0]?.digest.slice(0, 12),
          is: expect.stringMatching(/^edited: [0-9a-f]{12}$/),
          detail: "-EDITED=1",
        },
        { what: "/etc/ringrift/node.conf mode", want: "0644 root", is: "0600 root" },
      ]);
      expect(run("activate", activate).ok).toBe(true);
      expect(compareActivate(activate, facts())).toEqual([]);
      expect(startedAt()).toBe(started);
    });

    it("tells what was edited in a file whose content is not in the spec, and mends it from its own copy", () => {
      const path = "/srv/ringrift/ai-service/config/distributed_hosts.yaml";
      box.sh(`echo '  c9: {}' >> ${path}`);
      expect(comparePrepare(prepare, facts())).toEqual([
        {
          what: path,
          want: prepare.files[0]?.digest.slice(0, 12),
          is: expect.stringMatching(/^edited: [0-9a-f]{12}$/),
          detail: "-  c9: {}",
        },
      ]);
      expect(run("prepare", prepare).ok).toBe(true);
      expect(box.sh(`cat ${path}`)).toBe(options.inventory);
      expect(comparePrepare(prepare, facts())).toEqual([]);
      expect(box.sh("stat -c '%a' /opt/ringrift-p2p/contents /opt/ringrift-p2p/contents/*")).toBe(
        "700\n600\n",
      );
    });

    it("takes a new content once it is staged, and says so when it is not", () => {
      const text = "hosts:\n  c2: {}\n  c3: {}\n";
      const next = renderPrepare(plan, { ...options, inventory: text });
      const [file] = next.files;
      if (!file) throw new Error("no file");
      expect(run("prepare", next)).toMatchObject({
        ok: false,
        error: `${file.path}: the content of ${file.path} was not staged`,
      });
      expect(comparePrepare(next, facts(activate, next))).toMatchObject([
        { what: file.path, is: expect.stringMatching(/^older: /) },
      ]);
      box.exec(stageScript({ [file.digest]: packContent(text) }));
      expect(run("prepare", next)).toMatchObject({ ok: true });
      expect(box.sh(`cat ${file.path}; ls /opt/ringrift-p2p/contents`)).toBe(
        `${text}${file.digest}\n`,
      );
      box.exec(stageScript(contents));
      expect(run("prepare", prepare)).toMatchObject({ ok: true });
    });

    it("restarts once for a new release, and not at all for the same", () => {
      const next = withEnvironment({ NEXT: "1" });
      const started = startedAt();
      expect(run("activate", next)).toMatchObject({ ok: true, release: next.digest });
      const restarted = startedAt();
      expect(restarted).not.toBe(started);
      expect(statuses(run("activate", next))).toEqual(["ok"]);
      expect(startedAt()).toBe(restarted);
      expect(run("activate", activate)).toMatchObject({ ok: true, release: activate.digest });
    });

    it("takes a release back that crashes, and names both", () => {
      const bad = withEnvironment({ TEST_FAULT: "crash" }, { deadlineSeconds: 120 });
      const verdict = run("activate", bad);
      expect(verdict).toMatchObject({
        ok: false,
        outcome: "rolled-back",
        release: activate.digest,
        rollback: { to: activate.digest, ok: true },
      });
      expect(verdict.error).toMatch(/last error: ModuleNotFoundError: No module named 'planted'$/);
      const seen = facts(bad);
      expect(compareActivate(activate, seen)).toEqual([]);
      expect(compareActivate(bad, seen)[0]).toEqual({
        what: "release",
        want: bad.digest,
        is: activate.digest,
      });
      expect(seen.lastRun).toMatchObject({ phase: "activate", ok: false, error: verdict.error });
    });

    it("comes back after kill -9", () => {
      const pid = facts().service?.pid;
      box.sh(`kill -9 ${pid}`);
      awaitHealth();
      expect(facts().service?.pid).not.toBe(pid);
    });

    it("comes back with the container, through its start script", () => {
      box.sh("kill -9 $(cat /opt/ringrift-p2p/supervisor/supervisord.pid)");
      box.sh(`kill -9 ${facts().port[0]?.pid}`);
      expect(facts().service?.state).toBe("stopped");
      box.sh("/root/onstart.sh");
      awaitHealth();
      // supervisord calls it running some seconds later.
      becomes(() => compareActivate(activate, facts()).length === 0);
      expect(compareActivate(activate, facts())).toEqual([]);
    });

    it("comes back when its supervisord alone had died", () => {
      box.sh("kill -9 $(cat /opt/ringrift-p2p/supervisor/supervisord.pid)");
      expect(facts()).toMatchObject({ service: { state: "stopped" }, port: [{ ours: true }] });
      expect(run("activate", activate)).toMatchObject({ ok: true });
      expect(compareActivate(activate, facts())).toEqual([]);
    });

    it("does not touch a host whose port somebody else holds", () => {
      const program =
        "/opt/ringrift-p2p/venv/bin/python -m supervisor.supervisorctl -c /opt/ringrift-p2p/supervisor/supervisord.conf";
      box.sh(`${program} stop ringrift-p2p-node`);
      box.sh("setsid python3 -m http.server 8770 --bind 127.0.0.1 </dev/null >/dev/null 2>&1 &");
      becomes(() => facts().port.length > 0);
      const [holder] = facts().port;
      expect(holder).toEqual({
        pid: expect.any(Number),
        ours: false,
        name: `pid ${holder?.pid} (python3 http.server)`,
      });
      const next = withEnvironment({ NEXT: "2" });
      expect(run("activate", next)).toMatchObject({
        ok: false,
        outcome: "blocked",
        error: `port: port 8770: blocked by pid ${holder?.pid} (python3 http.server)`,
        release: activate.digest,
      });
      box.sh(`kill ${holder?.pid}`);
      becomes(() => facts().port.length === 0);
      expect(run("activate", activate).ok).toBe(true);
    });

    it("finds old managers, and disables them only with takeover", () => {
      box.sh("echo '* * * * * root /srv/p2p_keepalive.sh --token=planted' > /etc/cron.d/old-p2p");
      box.sh("printf '#!/bin/sh\\nsleep 600\\n' > /srv/ensure_p2p_running.sh");
      box.sh("setsid sh /srv/ensure_p2p_running.sh </dev/null >/dev/null 2>&1 &");
      // A process that only mentions the script is none.
      box.sh("setsid sh -c 'sleep 600; : p2p_orchestrator.py' </dev/null >/dev/null 2>&1 &");
      becomes(() => runs("sh /srv/ensure_p2p_running.sh") && runs("sh -c sleep 600"));
      const found = facts().competitors;
      expect(found.map(({ kind, id }) => (kind === "process" ? kind : `${kind} ${id}`))).toEqual([
        "cron /etc/cron.d/old-p2p:1",
        "process",
      ]);
      const left = run("activate", activate);
      expect(left.notes).toHaveLength(2);
      expect(facts().competitors).toHaveLength(2);
      const taken = run("activate", { ...activate, takeover: true });
      expect(taken).toMatchObject({ ok: true });
      expect(facts().competitors).toEqual([]);
    });

    it("undoes a change unless the controller comes back", () => {
      const agent = `import sys; sys.path.insert(0, "${agentDir()}"); import deadman`;
      const arm = (name: string, seconds: number) =>
        box.sh(
          `python3 -Bc '${agent}; deadman.arm("${name}", "touch /tmp/undone-${name}", ${seconds})'`,
        );
      arm("kept", 3600);
      arm("lost", 0);
      box.sh("until [ -e /tmp/undone-lost ]; do sleep 0.1; done");
      const verdict = run("disarm", { names: ["kept", "lost"] });
      expect(verdict.steps.map(({ name, status, error }) => [name, status, error])).toEqual([
        ["lock", "ok", undefined],
        ["kept", "changed", undefined],
        ["lost", "failed", "lost had already been undone"],
      ]);
      expect(box.sh("ls /tmp")).toBe("undone-lost\nwheels\n");
    });

    it("sees the packages of the plan's interpreter, and installs only what is missing", () => {
      box.sh(
        "python3 -m venv --without-pip /srv/venv; touch $(echo /srv/venv/lib/python3.*/site-packages)/psutil.py",
      );
      const spec = {
        ...prepare,
        python: { ...prepare.python, interpreter: "/srv/venv/bin/python" },
      };
      expect(run("prepare", spec).ok).toBe(true);
      const where = "import psutil, aiohttp; print(psutil.__file__, aiohttp.__file__)";
      expect(
        box.sh(`/opt/ringrift-p2p/venv/bin/python -Bc '${where}'`).replace(/3\.\d+/g, "3"),
      ).toBe(
        "/srv/venv/lib/python3/site-packages/psutil.py /opt/ringrift-p2p/venv/lib/python3/site-packages/aiohttp.py\n",
      );
      expect(statuses(run("prepare", spec))).toEqual(["ok"]);
      expect(box.sh("ls /srv/venv/lib/python3.*/site-packages")).toBe("psutil.py\n");
      box.sh("rm -r /srv/venv");
    });

    it("says why a package cannot be had", () => {
      const python = {
        ...prepare.python,
        required: { nowhere: "nowhere" },
        interpreter: "python3",
      };
      const verdict = run("prepare", { ...prepare, python });
      expect(verdict).toMatchObject({ ok: false, outcome: "failed" });
      expect(verdict.error).toMatch(
        /^dependencies: pip: ERROR: No matching distribution found for nowhere/,
      );
    });

    it("keeps the SSH host keys on the container's volume, and puts them back on a new disk", () => {
      const folder = "/workspace/.ringrift-p2p";
      const key = "/etc/ssh/ssh_host_ed25519_key";
      const drift = () =>
        comparePrepare(prepare, facts())
          .filter(({ what }) => what === "ssh host keys")
          .map(({ is }) => is);
      box.exec(stageScript(contents));
      box.sh("mkdir -p /workspace /etc/ssh && mount -t tmpfs none /workspace");
      expect(drift()).toEqual([]);
      box.sh(`printf OLD > ${key}; printf 'ssh-ed25519 OLD' > ${key}.pub; chmod 600 ${key}`);
      expect(drift()).toEqual(["not kept"]);
      const kept = run("prepare", prepare).steps.find(({ name }) => name === "ssh host keys");
      expect(kept).toMatchObject({ status: "changed", before: "not kept" });
      expect(drift()).toEqual([]);
      expect(box.sh(`stat -c '%a %n' ${folder} ${folder}/ssh ${folder}/ssh/*`)).toBe(
        `700 ${folder}\n700 ${folder}/ssh\n600 ${folder}/ssh/ssh_host_ed25519_key\n644 ${folder}/ssh/ssh_host_ed25519_key.pub\n`,
      );
      // A new disk: other keys, a sshd that has read them, and the provider's own start command.
      box.sh(`printf NEW > ${key}; printf 'ssh-ed25519 NEW' > ${key}.pub
sh -c 'trap "touch /run/anew; exit" HUP; echo $$ > /run/sshd.pid; while :; do sleep 0.1; done' > /dev/null 2>&1 &
while [ ! -s /run/sshd.pid ]; do sleep 0.05; done`);
      expect(drift()).toEqual(["another set is kept"]);
      expect(
        box.sh(`${folder}/start; while [ ! -e /run/anew ]; do sleep 0.05; done; rm /run/sshd.pid
cat ${key} ${key}.pub; stat -c ' %a' ${key}`),
      ).toBe("OLDssh-ed25519 OLD 600\n");
      expect(drift()).toEqual([]);
      box.sh(`chmod 644 ${folder}/ssh/ssh_host_ed25519_key`);
      expect(drift()).toEqual(["kept with other modes"]);
      box.sh("sed -i '/>>> .*host keys/,/<<< .*host keys/d' /root/onstart.sh");
      run("prepare", prepare);
      expect(drift()).toEqual([]);
      // What another node keeps on a volume that both have is left alone.
      box.sh(`echo c9 > ${folder}/node; printf NEW > ${key}`);
      expect(drift()).toEqual([]);
      box.sh(`echo c2 > ${folder}/node`);
    });

    it("leaves nothing but the daemon's own data, and what was there before", () => {
      box.sh("mkdir -p /srv/ringrift/ai-service/config");
      expect(run("activate", renderAbsent("c2"))).toMatchObject({
        phase: "absent",
        ok: true,
        outcome: "absent",
      });
      expect(facts()).toMatchObject({ traces: [], port: [], service: null });
      expect(box.sh("cat /root/onstart.sh")).toBe("#!/bin/bash\nsleep 1\n");
      expect(box.sh("cat /etc/cron.d/old-p2p")).toBe(
        "* * * * * root /srv/p2p_keepalive.sh --token=planted\n",
      );
      expect(box.sh("ls -A /workspace; cat /etc/ssh/ssh_host_ed25519_key")).toBe("NEW");
      const foreign = [
        "/etc/cron.d/old-p2p",
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/ssh_host_ed25519_key.pub",
        "/srv/ensure_p2p_running.sh",
      ];
      const data = box
        .changed()
        .filter((path) => !before.includes(path) && !foreign.includes(path));
      expect(data).toEqual(["/srv/ringrift/ai-service/data/started.json"]);
    });
  });
}
