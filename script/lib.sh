# Shared by the scripts: makes the environment from the lock files, with what Debian offers.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
VENV=${CLAVE_VENV:-$ROOT/.venv}
PY=$VENV/bin/python
# The tests start hundreds of processes. Without bytecode each compiles everything anew: three times the work (measured).
unset PYTHONDONTWRITEBYTECODE

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

# interpreter: the system's own Python if it is new enough, since Debian builds it with profile-guided
# optimisation and one built by hand often is not (a third slower, measured); else the first on the PATH.
interpreter() {
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$candidate" && return 0; fi
    done
    echo python3
}

# environment LOCK: the virtual environment holds exactly what the lock file lists. `dev` contains `base`.
environment() {
    if [ -e "$VENV/.locked-$(fingerprint "$1")" ] || [ -e "$VENV/.locked-$(fingerprint dev)" ]; then return 0; fi
    base=${PYTHON:-$(interpreter)}
    certificates=/etc/ssl/certs/ca-certificates.crt
    need "$base -c 'import ensurepip, venv' && test -e $certificates" python3-venv ca-certificates
    # The machine's own certificates, so that a network with a certificate of its own works too.
    if [ -e "$certificates" ]; then export PIP_CERT="${PIP_CERT:-$certificates}"; fi
    [ -x "$PY" ] || "$base" -m venv "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check --require-hashes -r requirements/uv.lock
    "$VENV/bin/uv" pip sync -q --system-certs --python "$PY" --require-hashes "requirements/$1.lock"
    rm -f "$VENV"/.locked-*
    touch "$VENV/.locked-$(fingerprint "$1")"
}

fingerprint() { cat requirements/uv.lock "requirements/$1.lock" | sha256sum | cut -c1-16; }

# translations: the catalogues are text in the repository and are compiled here.
translations() {
    for po in clave/web/locale/*/LC_MESSAGES/django.po; do
        [ -e "$po" ] || continue
        mo=${po%.po}.mo
        if [ ! -e "$mo" ] || [ "$po" -nt "$mo" ]; then "$PY" -m babel.messages.frontend compile -i "$po" -o "$mo" 2>/dev/null; fi
    done
}
