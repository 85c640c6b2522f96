# Shared by the scripts: makes the environment from the lock files, with what Debian offers.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
VENV=${CLAVE_VENV:-$ROOT/.venv}
PY=$VENV/bin/python

# need COMMAND-THAT-PROVES-IT PACKAGE...: install Debian packages as root, else say what is missing and fail.
need() {
    proof=$1
    shift
    if sh -c "$proof" >/dev/null 2>&1; then return 0; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Debian packages: $*" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
            { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
    else
        echo "Missing. As root: apt-get install $*" >&2
        exit 1
    fi
}

# environment LOCK: the virtual environment holds exactly what the lock file lists.
environment() {
    stamp=$VENV/.locked-$(cat requirements/uv.lock "requirements/$1.lock" | sha256sum | cut -c1-16)
    if [ -e "$stamp" ]; then return 0; fi
    if [ "$1" = base ] && ls "$VENV"/.locked-dev-* >/dev/null 2>&1 && [ -e "$VENV/.locked-dev-$(cat requirements/uv.lock requirements/dev.lock | sha256sum | cut -c1-16)" ]; then return 0; fi
    base=${PYTHON:-python3}
    need "$base -c 'import ensurepip, venv'" python3-venv ca-certificates
    [ -x "$PY" ] || "$base" -m venv "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check --require-hashes -r requirements/uv.lock
    "$VENV/bin/uv" pip sync -q --python "$PY" --require-hashes "requirements/$1.lock"
    rm -f "$VENV"/.locked-*
    touch "$stamp"
    if [ "$1" = dev ]; then touch "$VENV/.locked-dev-$(cat requirements/uv.lock requirements/dev.lock | sha256sum | cut -c1-16)"; fi
}

# translations: the catalogues are text in the repository and are compiled here.
translations() {
    for po in clave/theme/locale/*/LC_MESSAGES/django.po; do
        [ -e "$po" ] || continue
        mo=${po%.po}.mo
        if [ ! -e "$mo" ] || [ "$po" -nt "$mo" ]; then "$PY" -m babel.messages.frontend compile -i "$po" -o "$mo" 2>/dev/null; fi
    done
}
