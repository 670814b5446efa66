import { readSource } from "./sources";
import { shortDigest } from "./digest";
import { supportName } from "./names";
import {
  type HostPart,
  type RenderedService,
  type ServiceManager,
  type SupportService,
} from "./spec";

const TEMPLATES: Record<ServiceManager, string> = {
  systemd: "templates/unit.service",
  supervisord: "templates/program.conf",
  own: "templates/program.conf",
  launchd: "templates/job.plist",
};

const SUPPORT_TEMPLATES: Record<ServiceManager, string> = {
  systemd: "templates/support.service",
  supervisord: "templates/support.conf",
  own: "templates/support.conf",
  launchd: "templates/support.plist",
};

/** What may stand in a unit's name and in a supervisord section. */
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** Portable login name (useradd's rule); it is the only value that enters a unit's text. */
const LOGIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/**
 * The unit, program or job. Everything that comes from the inventory stays out of it: the launcher reads
 * that as JSON, so no quoting rule of any manager can turn a value into something else.
 * @throws when `user` is not a portable login name
 */
export function renderService(manager: ServiceManager, user: string): string {
  return readSource(TEMPLATES[manager]).replace("@USER@", loginName(user));
}

/**
 * A support service of a host's parts with its unit or program and the digest whose change restarts it.
 * @throws when its name or user cannot stand in a unit, or when it names a tool or file that no part brings
 */
export function renderSupport(
  manager: ServiceManager,
  service: SupportService,
  part: Pick<HostPart, "tools" | "files">,
): RenderedService {
  const { restartSeconds = 5, ...kept } = service;
  const { name, argv, environment, user, secrets } = kept;
  if (!SERVICE_NAME.test(name) || name === "node")
    throw new Error(`${JSON.stringify(name)} cannot be the name of a support service`);
  const text = readSource(SUPPORT_TEMPLATES[manager])
    .replaceAll("@SERVICE@", supportName(name))
    .replaceAll("@NAME@", name)
    .replaceAll("@USER@", loginName(user))
    .replace("@RESTART_SECONDS@", String(restartSeconds));
  const made = {
    launch: { argv, environment, user },
    tools: service.tools.map((tool) => find(name, tool, part.tools, (one) => one.name)),
    files: service.files.map((path) => find(name, path, part.files, (one) => one.path).digest),
    secrets,
  };
  return { ...kept, digest: shortDigest(made), service: text };
}

function find<T>(service: string, name: string, items: readonly T[], key: (item: T) => string): T {
  const found = items.find((item) => key(item) === name);
  if (found === undefined) throw new Error(`service ${service}: no part brings ${name}`);
  return found;
}

function loginName(user: string): string {
  if (!LOGIN_NAME.test(user)) throw new Error(`user ${JSON.stringify(user)} is not a login name`);
  return user;
}
