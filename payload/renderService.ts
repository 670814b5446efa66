import { readSource } from "./sources";
import { type ServiceManager } from "./spec";

const TEMPLATES: Record<ServiceManager, string> = {
  systemd: "templates/unit.service",
  supervisord: "templates/program.conf",
  own: "templates/program.conf",
  launchd: "templates/job.plist",
};

/** Portable login name (useradd's rule); it is the only value that enters a unit's text. */
const LOGIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/**
 * The unit, program or job. Everything that comes from the inventory stays out of it: the launcher reads
 * that as JSON, so no quoting rule of any manager can turn a value into something else.
 * @throws when `user` is not a portable login name
 */
export function renderService(manager: ServiceManager, user: string): string {
  if (!LOGIN_NAME.test(user)) {
    throw new Error(`user ${JSON.stringify(user)} is not a login name`);
  }
  return readSource(TEMPLATES[manager]).replace("@USER@", user);
}
