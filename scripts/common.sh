# Steps that the README's two commands share. Sourced from the project's folder.

say() { printf '==> %s\n' "$*"; }

# npm packages, when they are missing or older than the lock file.
ensure_node_modules() {
  if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "npm packages"
    npm ci --no-audit --no-fund
  fi
}

# Debian packages that tests of single programs use; the lab installs its own.
ensure_debian_packages() {
  local missing=()
  command -v lsof >/dev/null || missing+=(lsof)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v ssh >/dev/null || missing+=(openssh-client)
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Debian packages: ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    say "not installed here, so some tests are skipped by name: ${missing[*]}"
  fi
}
