import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type Socket } from "node:net";
import { basename, join, sep } from "node:path";

/** PEP 503: runs of `-`, `_` and `.` are one `-`, and case does not matter. */
export function normalizeProject(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** The project that a wheel's file name belongs to. */
export function projectOf(wheel: string): string {
  return normalizeProject(wheel.split("-")[0] ?? "");
}

function page(links: readonly (readonly [href: string, text: string])[]): string {
  const body = links.map(([href, text]) => `<a href="${href}">${text}</a><br>`).join("\n");
  return `<!DOCTYPE html>\n<html><body>\n${body}\n</body></html>\n`;
}

/** The simple index's root page, given the wheels' file names. */
export function renderIndex(wheels: readonly string[]): string {
  const projects = [...new Set(wheels.map(projectOf))].sort();
  return page(projects.map((name) => [`/simple/${name}/`, name]));
}

/** One project's page, null when there is no such project. */
export function renderProject(wheels: readonly string[], project: string): string | null {
  const own = wheels.filter((wheel) => projectOf(wheel) === normalizeProject(project));
  return own.length === 0 ? null : page(own.map((wheel) => [`/wheels/${wheel}`, wheel]));
}

function sendText(response: ServerResponse, text: string | null): void {
  response.writeHead(text === null ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
  response.end(text ?? "not found\n");
}

function sendFile(response: ServerResponse, file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return sendText(response, null);
  response.writeHead(200, { "content-length": statSync(file).size });
  createReadStream(file).pipe(response);
}

/** The path of a request, empty when it is none. */
function decodePath(url: string): string {
  try {
    return decodeURIComponent(new URL(url, "http://index").pathname);
  } catch {
    return "";
  }
}

export interface PackageServerArgs {
  /** Directory of wheels. */
  readonly wheels: string;
  /** Directory of a flat apt repository. */
  readonly debs: string;
  /** Directory of vendors' downloads, by their own paths. */
  readonly mirror: string;
  /** Directory that holds one file, named by its address, for each host that finds the index gone. */
  readonly gone: string;
}

/** The lab's package index and mirrors: /simple/ (PEP 503), /wheels/, /debs/, /mirror/. Read-only. */
export function packageServer({ wheels, debs, mirror, gone }: PackageServerArgs): Server {
  const isGone = (socket: Socket): boolean => existsSync(join(gone, socket.remoteAddress ?? "-"));
  const server = createServer((request, response) => {
    // A connection may have been open since before.
    if (isGone(request.socket)) return void request.socket.resetAndDestroy();
    const path = decodePath(request.url ?? "/");
    const [, folder = "", name = ""] = path.split("/");
    const names = (): string[] => readdirSync(wheels).filter((file) => file.endsWith(".whl"));
    if (folder === "simple" && name === "") return sendText(response, renderIndex(names()));
    if (folder === "simple") return sendText(response, renderProject(names(), name));
    if (folder === "mirror") {
      const file = join(mirror, path.slice("/mirror/".length));
      return file.startsWith(mirror + sep) ? sendFile(response, file) : sendText(response, null);
    }
    // Only the last part of the path is used: nothing above the two directories can be named.
    const file = basename(path);
    if (folder === "wheels" && names().includes(file))
      return sendFile(response, join(wheels, file));
    if (folder === "debs" && file !== "" && file !== "debs") {
      return sendFile(response, join(debs, file));
    }
    sendText(response, null);
  });
  server.on("connection", (socket) => {
    if (isGone(socket)) socket.resetAndDestroy();
  });
  return server;
}
