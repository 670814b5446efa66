"""Who may reach the daemon's ports: rules in a table or chains of our own, beside whatever else filters here."""
import errno, fcntl, json, os, re, shlex, shutil
import contents, deadman, files, packages, services, undo
from firewall_rules import CHAIN, FOLDER, GUARD, KEPT, TABLE, TIMER, UNCONFIRMED, clear_text, scripts, this_start
from journal import Failed
from packages import which
from paths import STATE
from shell import must, run as run_program

NAME = "ringrift-p2p-firewall"
# Loaded after those that flush everything at their start, and again when they are.
FLUSHING = "nftables.service iptables.service ip6tables.service netfilter-persistent.service"
OTHERS = FLUSHING + " ufw.service firewalld.service"
UNIT = """# Managed by p2p-fleet: edits are overwritten by the next run.
[Unit]
Description=Who may reach the P2P orchestrator's ports (p2p-fleet)
DefaultDependencies=no
After=local-fs.target systemd-modules-load.service %s
Wants=network-pre.target
Before=network-pre.target shutdown.target ringrift-p2p-node.service
Conflicts=shutdown.target
PartOf=%s
ReloadPropagatedFrom=%s

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%s/apply
ExecReload=%s/apply

[Install]
WantedBy=multi-user.target
""" % (OTHERS, FLUSHING, FLUSHING, FOLDER, FOLDER)
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
    """CAP_NET_ADMIN (bit 12), which rented containers seldom have, for the network that this is in."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", files.text_of("/proc/self/status"), re.M)
    return bool(found and int(found.group(1), 16) >> 12 & 1) and owns_network()


def owns_network():
    """False in a container whose root is nobody outside (rootless), where it shares a network from outside."""
    handle = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        # NS_GET_USERNS: whose it is; EPERM where that is above ours (ioctl_ns(2)).
        os.close(fcntl.ioctl(handle, 0xB701))
    except OSError as error:
        return error.errno != errno.EPERM
    finally:
        os.close(handle)
    return True


def backend():
    """
    What filters here, as far as it works: nftables where there is both, since theirs and ours do not meet there.
    iptables counts where it reaches all addresses that are here.
    """
    if which("nft") and run_program(["nft", "list", "tables"], quiet=True, timeout=10)[0] == 0:
        return "nft"
    return "iptables" if works("iptables") and (works("ip6tables") or not has_ipv6()) else None


def works(tool):
    return bool(which(tool + "-restore")) and run_program([tool, "-w", "5", "-S", "INPUT"], quiet=True, timeout=10)[0] == 0


def has_ipv6():
    """An address by which others could come, which those of the loopback are not."""
    try:
        lines = files.text_of("/proc/net/if_inet6").splitlines()
    except OSError:
        return False
    return any(line.split()[-1] != "lo" for line in lines)


def managers():
    """Other people's firewalls that are active: ours only takes away, so they have to let the ports in as well."""
    found = []
    if re.search(r"^ENABLED=yes", files.text_of("/etc/ufw/ufw.conf"), re.M) and which("ufw"):
        found.append("ufw")
    if which("firewall-cmd") and run_program(["firewall-cmd", "--state"], quiet=True, timeout=10)[0] == 0:
        found.append("firewalld")
    return found


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
    """sh text that makes the firewall what it was when it was confirmed; rules of ours that somebody has changed are not put back."""
    service = boot_service(manager, start_script)
    # A run before this one was cut off: what it kept is what was confirmed last.
    if not (os.path.exists(UNCONFIRMED) and os.path.exists(KEPT + "/apply")):
        shutil.rmtree(KEPT, ignore_errors=True)
        files.make_dirs(STATE + "/undo")
        if is_sound:
            shutil.copytree(FOLDER, KEPT)
    if os.path.exists(KEPT + "/apply"):
        folder = shlex.quote(FOLDER)
        return "%s/clear; rm -rf %s; cp -a %s %s; %s/apply" % (folder, folder, shlex.quote(KEPT), folder, folder)
    lines = ["%s/clear" % FOLDER, "rm -rf %s" % FOLDER]
    if service.path:
        lines += [service.stop_text(), "rm -f %s" % shlex.quote(service.path), service.forget_text()]
    return "\n".join(lines)


def is_here():
    return os.path.isdir(FOLDER) or any(service.path and os.path.exists(service.path) for service in services.here(NAME))


def confirm():
    """The controller has come back: from now on the rules outlive a reboot, and whoever flushes everything."""
    if not os.path.exists(UNCONFIRMED):
        return
    files.remove_tree(UNCONFIRMED)
    for service in services.here(NAME):
        if service.manager == "systemd":
            run_program(["systemctl", "restart", "--no-block", service.unit])


def converge(run, spec, manager, start_script, mirror):
    if spec is None:
        if is_here():
            run.step("firewall", remove)
        return
    # That there is none, and who else filters here, is told by every probe.
    if may_change():
        run.step("firewall", apply, run, spec, manager, start_script, mirror)


def usable(mirror):
    """(backend, what stays open with it)"""
    kind = backend()
    if kind is None:
        try:
            packages.install(["nftables"], mirror)
        except Failed:
            if not works("iptables"):
                raise
        kind = backend()
    if kind is None and works("iptables"):
        return "iptables", "IPv6 stays open: ip6tables does not work here, and nftables could not be installed"
    return kind, None


def apply(run, spec, manager, start_script, mirror):
    kind, left = usable(mirror)
    if kind is None:
        raise Failed("neither nftables nor iptables works here")
    before, now, digest = record(), live(kind), digest_of(spec)
    same = before and before["backend"] == kind and before["digest"] == digest and before["live"] == now
    result = None
    if not same or not files_in_place(spec, kind) or not starts_at_boot(manager, start_script):
        was = "absent" if not now else "as wanted" if same else "edited" if before and before["digest"] == digest else "of an older wish"
        is_sound = bool(before) and before["live"] == now != "" and not os.path.exists(UNCONFIRMED)
        text = undo_text(manager, start_script, is_sound)
        deadman.arm(TIMER, text, undo.SECONDS)
        run.more.setdefault("armed", []).append(TIMER)
        if before and before["backend"] != kind and os.path.exists(FOLDER + "/clear"):
            must([FOLDER + "/clear"])
        files.put(UNCONFIRMED, this_start())
        try:
            put_in_place(spec, kind, manager, start_script)
            must([FOLDER + "/apply", "now"])
        except Failed:
            # What cannot be applied now must not be what the next boot tries.
            run_program(["/bin/sh", "-c", text])
            raise
        told = {"backend": kind, "digest": digest, "live": live(kind)}
        files.put(FOLDER + "/applied.json", json.dumps(told, sort_keys=True) + "\n")
        result = was, "ports %s closed to others (%s)" % (", ".join(map(str, spec["ports"])), kind)
    if left:
        raise Failed(left)
    return result


def digest_of(spec):
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return files.sha(text.encode())[:16]


def remove():
    """Nothing of ours is left, in the kernel or on the disk, and no timer that would bring something back."""
    kind, result = backend(), None
    try:
        deadman.disarm(TIMER)
    except Failed:
        # It has done what it was to do, or was lost.
        pass
    files.remove_tree(KEPT)
    if os.path.exists(FOLDER + "/clear"):
        must([FOLDER + "/clear"])
        result = "present", "absent"
    for service in services.here(NAME):
        result = service.remove() or result
    if kind and live(kind):
        # Without the folder, that somebody removed.
        must(["/bin/sh", "-c", clear_text(kind)])
        result = "present", "absent"
        if live(kind):
            raise Failed("rules of ours are still there")
    return files.remove_tree(FOLDER) or result


def facts(manager, start_script, wanted):
    """None where nothing of ours is there and nothing is wanted."""
    told, able = record(), may_change()
    if wanted is None and not is_here():
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
