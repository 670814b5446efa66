"""What filters: rules for nft and for iptables, and the scripts that bring them in and take them out."""
import files, undo
from paths import BASE

FOLDER = BASE + "/firewall"
TABLE = "ringrift_p2p"
CHAIN, GUARD = "RINGRIFT_P2P", "RINGRIFT_P2P_PORTS"
TIMER = "firewall"
# There until the controller has come back: rules that may have locked it out must not outlive a reboot, as no timer does.
UNCONFIRMED = FOLDER + "/unconfirmed"
# The rules of before, as long as those that are in force are not confirmed.
KEPT = undo.place(TIMER)
TOP = "#!/bin/sh\n# Managed by p2p-fleet: edits are overwritten by the next run.\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
# A start before the controller came back has ended the timer: what it was to do is done at once. Rules of a container
# can outlive it in the network that it shares.
BOOT = """if [ "$1" != now ] && [ -e %(mark)s ]; then
  now=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null; sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)
  [ "$now" != "$(cat %(mark)s)" ] || exit 0
  %(folder)s/clear
  [ -x %(kept)s/apply ] || exit 0
  rm -rf %(folder)s && cp -a %(kept)s %(folder)s && exec %(folder)s/apply
fi
""" % {"mark": UNCONFIRMED, "kept": KEPT, "folder": FOLDER}


def this_start():
    """What tells one start of a machine or a container from the next, as BOOT reads it."""
    try:
        kernel = files.text_of("/proc/sys/kernel/random/boot_id")
    except OSError:
        kernel = ""
    return kernel + files.text_of("/proc/1/stat").rpartition(") ")[2].split()[19] + "\n"


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
    clear = (clear_text(kind), "0755")
    if kind == "nft":
        apply = TOP + BOOT + "exec nft -f %s/rules.nft\n" % FOLDER
        return {"rules.nft": (nft_rules(spec), "0644"), "apply": (apply, "0755"), "clear": clear}
    lines, jump = [], "-j %s" % CHAIN
    for tool, family in (("iptables", "ipv4"), ("ip6tables", "ipv6")):
        lines += [
            # A kernel without IPv6 has nothing to close there.
            "if %s -w 5 -S INPUT >/dev/null 2>&1; then" % tool,
            "%s-restore -w 5 --noflush < %s/rules.%s || exit 1" % (tool, FOLDER, family),
            # In the first place: a rule before it might let in what it is to keep out.
            '[ "$(%s -w 5 -S INPUT 1)" = "-A INPUT %s" ] || {' % (tool, jump),
            "while %s -w 5 -D INPUT %s 2>/dev/null; do :; done" % (tool, jump),
            "%s -w 5 -I INPUT 1 %s || exit 1; }" % (tool, jump),
            "fi",
        ]
    return {
        "rules.ipv4": (iptables_rules(spec, "ipv4"), "0644"),
        "rules.ipv6": (iptables_rules(spec, "ipv6"), "0644"),
        "apply": (TOP + BOOT + "\n".join(lines) + "\nexit 0\n", "0755"),
        "clear": clear,
    }


def clear_text(kind):
    if kind == "nft":
        return TOP + "nft delete table inet %s 2>/dev/null || :\n" % TABLE
    lines = []
    for tool in ("iptables", "ip6tables"):
        lines += [
            "while %s -w 5 -D INPUT -j %s 2>/dev/null; do :; done" % (tool, CHAIN),
            "for chain in %s %s; do %s -w 5 -F $chain; done 2>/dev/null" % (CHAIN, GUARD, tool),
            "for chain in %s %s; do %s -w 5 -X $chain; done 2>/dev/null" % (CHAIN, GUARD, tool),
        ]
    return TOP + "\n".join(lines) + "\nexit 0\n"
