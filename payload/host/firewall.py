"""Who may reach the daemon's ports: rules in a table or chains of our own, beside whatever else filters here."""
import json, os, re, shlex, shutil
import contents, deadman, files, inspection, packages, services, state, undo
from journal import Failed
from packages import which
from paths import BASE, STATE
from shell import must, run as run_program

FOLDER = BASE + "/firewall"
NAME = "ringrift-p2p-firewall"
TABLE = "ringrift_p2p"
CHAIN, GUARD = "RINGRIFT_P2P", "RINGRIFT_P2P_PORTS"
TIMER = "firewall"
# There until the controller has come back: rules that may have locked it out must not outlive a reboot, as no timer does.
UNCONFIRMED = FOLDER + "/unconfirmed"
# Loaded after those that flush everything at their start.
OTHERS = "nftables.service iptables.service netfilter-persistent.service ufw.service firewalld.service"
UNIT = """# Managed by p2p-fleet: edits are overwritten by the next run.
[Unit]
Description=Who may reach the P2P orchestrator's ports (p2p-fleet)
DefaultDependencies=no
After=local-fs.target systemd-modules-load.service %s
Wants=network-pre.target
Before=network-pre.target shutdown.target ringrift-p2p-node.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%s/apply

[Install]
WantedBy=multi-user.target
""" % (OTHERS, FOLDER)
PROGRAM = """; Managed by p2p-fleet: edits are overwritten by the next run.
[program:%s]
command=%s/apply
directory=/
priority=1
autorestart=false
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
""" % (NAME, FOLDER)


def may_change():
    """CAP_NET_ADMIN (bit 12), which rented containers seldom have."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", files.text_of("/proc/self/status"), re.M)
    return bool(found and int(found.group(1), 16) >> 12 & 1)


def backend():
    """What filters here, as far as it works: nftables where there is both, since theirs and ours do not meet there."""
    if which("nft") and run_program(["nft", "list", "tables"], quiet=True, timeout=10)[0] == 0:
        return "nft"
    if which("iptables-restore") and run_program(["iptables", "-w", "5", "-S", "INPUT"], quiet=True, timeout=10)[0] == 0:
        return "iptables"
    return None


def managers():
    """Other people's firewalls that are active: ours only takes away, so they have to let the ports in as well."""
    found = []
    if re.search(r"^ENABLED=yes", files.text_of("/etc/ufw/ufw.conf"), re.M) and which("ufw"):
        found.append("ufw")
    if which("firewall-cmd") and run_program(["firewall-cmd", "--state"], quiet=True, timeout=10)[0] == 0:
        found.append("firewalld")
    return found


def nft_rules(spec):
    lines = ["table inet %s" % TABLE, "delete table inet %s" % TABLE, "table inet %s {" % TABLE]
    for name, kind, ranges in (("allow4", "ipv4_addr", spec["ipv4"]), ("allow6", "ipv6_addr", spec["ipv6"])):
        elements = "; elements = { %s }" % ", ".join(ranges) if ranges else ""
        lines.append("  set %s { type %s; flags interval; auto-merge%s; }" % (name, kind, elements))
    lines += [
        "  chain ports {",
        # Answers to what this host itself has begun.
        "    ct direction reply accept",
        "    ip saddr @allow4 accept",
        "    ip6 saddr @allow6 accept",
        "    drop",
        "  }",
        "  chain input {",
        "    type filter hook input priority -5; policy accept;",
        "    iifname { %s } accept" % ", ".join('"%s"' % name for name in spec["interfaces"]),
    ]
    lines += ["    %s dport { %s } jump ports" % (kind, ", ".join(map(str, spec["ports"]))) for kind in ("tcp", "udp")]
    return "\n".join(lines + ["  }", "}", ""])


def iptables_rules(spec, family):
    """For iptables-restore --noflush. RETURN and not ACCEPT: whoever else filters here still has a say."""
    lines = ["*filter", ":%s - [0:0]" % CHAIN, ":%s - [0:0]" % GUARD]
    lines += ["-A %s -i %s -j RETURN" % (CHAIN, name) for name in spec["interfaces"]]
    ports = ",".join(map(str, spec["ports"]))
    lines += ["-A %s -p %s -m multiport --dports %s -j %s" % (CHAIN, kind, ports, GUARD) for kind in ("tcp", "udp")]
    lines.append("-A %s -m conntrack --ctdir REPLY -j RETURN" % GUARD)
    lines += ["-A %s -s %s -j RETURN" % (GUARD, source) for source in spec[family]]
    return "\n".join(lines + ["-A %s -j DROP" % GUARD, "COMMIT", ""])


def scripts(kind, spec):
    """Name -> (text, mode) of what the folder holds; `apply` and `clear` may run at any time, and twice."""
    top = "#!/bin/sh\n# Managed by p2p-fleet: edits are overwritten by the next run.\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
    head = top + '[ "$1" = now ] || [ ! -e %s ] || exit 0\n' % UNCONFIRMED
    if kind == "nft":
        return {
            "rules.nft": (nft_rules(spec), "0644"),
            "apply": (head + "exec nft -f %s/rules.nft\n" % FOLDER, "0755"),
            "clear": (top + "nft delete table inet %s 2>/dev/null || :\n" % TABLE, "0755"),
        }
    apply, clear = [], []
    for tool, family in (("iptables", "ipv4"), ("ip6tables", "ipv6")):
        # A host without IPv6 has nothing to close there.
        guard = "%s -w 5 -S INPUT >/dev/null 2>&1" % tool
        jump = "-j %s" % CHAIN
        apply += [
            "if %s; then" % guard,
            "%s-restore -w 5 --noflush < %s/rules.%s || exit 1" % (tool, FOLDER, family),
            # In the first place: a rule before it might let in what it is to keep out.
            '[ "$(%s -w 5 -S INPUT 1)" = "-A INPUT %s" ] || {' % (tool, jump),
            "while %s -w 5 -D INPUT %s 2>/dev/null; do :; done" % (tool, jump),
            "%s -w 5 -I INPUT 1 %s || exit 1; }" % (tool, jump),
            "fi",
        ]
        clear += [
            "while %s -w 5 -D INPUT %s 2>/dev/null; do :; done" % (tool, jump),
            "for chain in %s %s; do %s -w 5 -F $chain; done 2>/dev/null" % (CHAIN, GUARD, tool),
            "for chain in %s %s; do %s -w 5 -X $chain; done 2>/dev/null" % (CHAIN, GUARD, tool),
        ]
    return {
        "rules.ipv4": (iptables_rules(spec, "ipv4"), "0644"),
        "rules.ipv6": (iptables_rules(spec, "ipv6"), "0644"),
        "apply": (head + "\n".join(apply) + "\nexit 0\n", "0755"),
        "clear": (top + "\n".join(clear) + "\nexit 0\n", "0755"),
    }


def live(kind):
    """Our rules as the kernel tells them, without counters; empty when there are none."""
    if kind == "nft":
        code, output = run_program(["nft", "-s", "list", "table", "inet", TABLE], quiet=True, timeout=10)
        return output if code == 0 else ""
    texts = []
    for tool in ("iptables", "ip6tables"):
        for chain in (CHAIN, GUARD):
            code, output = run_program([tool, "-w", "5", "-S", chain], quiet=True, timeout=10)
            texts.append(output if code == 0 else "")
        code, output = run_program([tool, "-w", "5", "-S", "INPUT", "1"], quiet=True, timeout=10)
        texts.append(output if code == 0 and CHAIN in output else "")
    return "".join(texts)


def record():
    """What was applied last: backend, digest of the wish, and how the kernel told it then."""
    try:
        return json.loads(files.text_of(FOLDER + "/applied.json"))
    except ValueError:
        return None


def boot_service(manager, start_script):
    return services.of(manager, start_script, NAME)


def boot_text(manager):
    return UNIT if manager == "systemd" else PROGRAM


def files_in_place(spec, kind):
    return not os.path.exists(UNCONFIRMED) and all(files.text_of("%s/%s" % (FOLDER, name)) == text for name, (text, _) in scripts(kind, spec).items())


def starts_at_boot(manager, start_script):
    service = boot_service(manager, start_script)
    if not service.path or files.text_of(service.path) != boot_text(manager):
        return False
    return manager != "systemd" or service.show().get("UnitFileState") == "enabled"


def put_in_place(spec, kind, manager, start_script):
    for name in os.listdir(FOLDER) if os.path.isdir(FOLDER) else []:
        if name not in scripts(kind, spec) and name not in ("applied.json", "unconfirmed"):
            files.remove_tree("%s/%s" % (FOLDER, name))
    for name, (text, mode) in scripts(kind, spec).items():
        files.put("%s/%s" % (FOLDER, name), text, mode)
    service = boot_service(manager, start_script)
    service.install(boot_text(manager))
    if manager != "systemd":
        service.call("update", NAME, timeout=60)


def undo_text(manager, start_script, is_sound):
    """sh text that makes the firewall what it is now; rules of ours that somebody has changed are not put back."""
    kept, service = undo.place(TIMER), boot_service(manager, start_script)
    shutil.rmtree(kept, ignore_errors=True)
    files.make_dirs(STATE + "/undo")
    if is_sound:
        shutil.copytree(FOLDER, kept)
        folder = shlex.quote(FOLDER)
        return "%s/clear; rm -rf %s; cp -a %s %s; %s/apply" % (folder, folder, shlex.quote(kept), folder, folder)
    lines = ["%s/clear" % FOLDER, "rm -rf %s" % FOLDER]
    if service.path:
        lines += [service.stop_text(), "rm -f %s" % shlex.quote(service.path), service.forget_text()]
    return "\n".join(lines)


def converge(run, spec, manager, start_script, mirror):
    if spec is None:
        if os.path.isdir(FOLDER):
            run.step("firewall", remove)
        return
    # That there is none, and who else filters here, is told by every probe.
    if may_change():
        run.step("firewall", apply, run, spec, manager, start_script, mirror)


def apply(run, spec, manager, start_script, mirror):
    kind = backend()
    if kind is None:
        packages.install(["nftables"], mirror)
        kind = backend()
    if kind is None:
        raise Failed("neither nftables nor iptables works here")
    before, now, digest = record(), live(kind), digest_of(spec)
    same = before and before["backend"] == kind and before["digest"] == digest and before["live"] == now
    if same and files_in_place(spec, kind) and starts_at_boot(manager, start_script):
        return None
    text = undo_text(manager, start_script, bool(before) and before["live"] == now != "" and not os.path.exists(UNCONFIRMED))
    deadman.arm(TIMER, text, undo.SECONDS)
    run.more.setdefault("armed", []).append(TIMER)
    if before and before["backend"] != kind and os.path.exists(FOLDER + "/clear"):
        must([FOLDER + "/clear"])
    files.put(UNCONFIRMED, "")
    put_in_place(spec, kind, manager, start_script)
    must([FOLDER + "/apply", "now"])
    told = {"backend": kind, "digest": digest, "live": live(kind)}
    files.put(FOLDER + "/applied.json", json.dumps(told, sort_keys=True) + "\n")
    was = "absent" if not now else "as wanted" if same else "edited" if before and before["digest"] == digest else "of an older wish"
    return was, "ports %s closed to others (%s)" % (", ".join(map(str, spec["ports"])), kind)


def digest_of(spec):
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return files.sha(text.encode())[:16]


def remove():
    """Nothing of ours is left, in the kernel or on the disk."""
    kind, result = backend(), None
    if os.path.exists(FOLDER + "/clear"):
        must([FOLDER + "/clear"])
        result = "present", "absent"
    for service in services.here(NAME):
        result = service.remove() or result
    if kind and live(kind):
        raise Failed("rules of ours are still there")
    return files.remove_tree(FOLDER) or result


def facts(manager, start_script, wanted):
    """None where nothing of ours is there and nothing is wanted."""
    told, able = record(), may_change()
    if wanted is None and told is None and not os.path.isdir(FOLDER):
        return None
    kind = backend() if able else None
    now = live(kind) if kind else ""
    fact = {"able": able, "backend": kind, "digest": None, "boot": False, "edits": None, "managers": managers()}
    fact["state"] = "absent" if not now else "edited"
    if told and now:
        fact["digest"] = told["digest"]
        if now == told["live"] and told["backend"] == kind:
            fact["state"] = "intact"
        else:
            fact["edits"] = contents.edits(now, told["live"])
    if wanted is not None and manager:
        fact["boot"] = files_in_place(wanted, kind) and starts_at_boot(manager, start_script) if kind else False
    return fact
