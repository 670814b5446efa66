import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runChecked } from "../fleet/run";
import { CONNECTOR_SERVER_NAME } from "./names";

const DAYS = "30";

/** A key of the kind that is made fastest, without a passphrase. */
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Paths of what a lab's certificates are kept in. */
export function certificateFiles(folder: string) {
  const of = (name: string): { key: string; cert: string } => ({
    key: join(folder, `${name}.key`),
    cert: join(folder, `${name}.pem`),
  });
  return { ca: of("ca"), edge: of("edge"), connectors: of("connectors") };
}

/**
 * Makes an authority and what it signs: the edge's certificate, for the zone and one level below it as Universal SSL
 * has it, and the one that connectors expect.
 * @throws LabError when openssl fails
 */
export async function makeCertificates(folder: string, zone: string): Promise<void> {
  const files = certificateFiles(folder);
  const request = async (subject: string, out: { key: string; cert: string }, more: string[]) =>
    runChecked(`openssl: ${subject}`, [
      ...["openssl", "req", "-x509", ...KEY, "-days", DAYS, "-subj", `/CN=${subject}`],
      ...["-keyout", out.key, "-out", out.cert, ...more],
    ]);
  await request("fleet lab CA", files.ca, [
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  const signed = (names: string[]): string[] => [
    ...["-CA", files.ca.cert, "-CAkey", files.ca.key],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`],
  ];
  await Promise.all([
    request(zone, files.edge, signed([zone, `*.${zone}`])),
    request(CONNECTOR_SERVER_NAME, files.connectors, signed([CONNECTOR_SERVER_NAME])),
  ]);
}

/** What `openssl` calls a certificate in a folder of trusted ones. */
export async function subjectHash(certificate: string): Promise<string> {
  const argv = ["openssl", "x509", "-noout", "-subject_hash", "-in", certificate];
  return (await runChecked("openssl: subject hash", argv)).trim();
}

/** Whether the edge's certificate is for a name: the zone, or one label below it. */
export function isCovered(name: string, zone: string): boolean {
  const label = name.toLowerCase().endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : "";
  return name.toLowerCase() === zone || (label !== "" && !label.includes("."));
}

export function readPair(files: { key: string; cert: string }): { key: string; cert: string } {
  return { key: readFileSync(files.key, "utf8"), cert: readFileSync(files.cert, "utf8") };
}
