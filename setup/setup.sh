#!/usr/bin/env bash
# Puts all that the local profile needs into .venv: Python packages from the lock, the compiled core, Nextflow.
# `make setup` runs it; a second call finds its stamps and returns at once. Outside this folder only $NXF_HOME is written.
# May be set: PYTHON, CC, JAVA_HOME, UV_CACHE_DIR, NEXTFLOW (path, download or maven: the way Nextflow is had; default: the first that works).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

venv=$PWD/.venv
stamps=$venv/stamps
nextflow_version=25.04.4

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }
stamped() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
stamp() { mkdir -p "$stamps" && echo "$2" >"$stamps/$1"; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
timed() { # timed WHAT COMMAND…: say what is done and how long it took
    local began=$SECONDS
    doing=$1
    say "$doing"
    "${@:2}"
    doing=
    say "  done in $((SECONDS - began)) s"
}
doing=
trap '[[ -z $doing ]] || say "failed: $doing (its messages are above)" >&2' EXIT

# ---- the machine: what is missing is named all at once ----

usable_python() {
    "$1" -c 'import ensurepip, os, sys, sysconfig, venv
sys.exit(not ((3, 11) <= sys.version_info < (3, 14) and os.path.isfile(sysconfig.get_path("include") + "/Python.h")))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        if usable_python "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

java_home_program() { # java or javac of the JDK that Nextflow's launcher would take
    local home=${NXF_JAVA_HOME:-${JAVA_HOME:-}}
    if [[ -n $home ]]; then echo "$home/bin/$1"; else echo "$1"; fi
}

java_version() { # major version, 0 where there is none
    local version
    version=$("${JAVA_CMD:-$(java_home_program java)}" -version 2>&1 | sed -nE 's/.*version "(1\.)?([0-9]+).*/\2/p' | head -n 1) || true
    echo "${version:-0}"
}

check_machine() {
    local problems=()
    python=$(find_python) || problems+=("missing: Python 3.11, 3.12 or 3.13 with headers and venv. Install it (Debian, Ubuntu: apt install python3-dev python3-venv) or name one: PYTHON=/path/to/python3.12 make setup")
    command -v "${CC:-cc}" >/dev/null ||
        problems+=("missing: a C compiler (${CC:-cc}). Install it (Debian, Ubuntu: apt install gcc libc6-dev) or name one: CC=/path/to/gcc make setup")
    (($(java_version) >= 17)) ||
        problems+=("missing: Java 17 or newer (found: $(java_version)). Install a JDK (Debian, Ubuntu: apt install openjdk-17-jdk-headless) or name one: JAVA_HOME=/path/to/jdk make setup")
    if [[ $(uname -m) == x86_64 && -r /proc/cpuinfo ]] && ! grep -qw avx /proc/cpuinfo; then
        problems+=("missing: a CPU with AVX, without which TensorFlow cannot run. Take a machine of 2012 or later; in a virtual machine let the CPU pass through")
    fi
    ((${#problems[@]} == 0)) || fail "${problems[@]}"
}

# ---- Python packages and the core ----

have_uv() {
    uv=$venv/uv/bin/uv
    [[ -x $uv ]] || "$venv/bin/python" -m pip install --quiet --no-deps --require-hashes --target "$venv/uv" -r setup/uv.txt 2>/dev/null || return 1
    # Hard links need the cache on the file system of .venv. uv does not read pip's settings.
    export UV_CACHE_DIR=${UV_CACHE_DIR:-$venv/cache/uv}
    local index
    index=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    [[ -z $index || -n ${UV_DEFAULT_INDEX:-} ]] || export UV_DEFAULT_INDEX=$index
    [[ -z ${PIP_CERT:-} || -n ${SSL_CERT_FILE:-} ]] || export SSL_CERT_FILE=$PIP_CERT
}

install_packages() {
    [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
    if have_uv; then
        VIRTUAL_ENV=$venv "$uv" --quiet pip sync --require-hashes requirements.txt
    else
        say "  uv cannot be had here; pip takes longer"
        "$venv/bin/python" -m pip install --quiet --require-hashes -r requirements.txt
    fi
}

install_core() {
    "$venv/bin/python" -m pip install --quiet --no-index --no-deps --no-build-isolation --force-reinstall ./core
}

# ---- Nextflow: from PATH, by its usual download, or as jars through Maven ----

is_recent_nextflow() { # 25.04 or newer
    local version
    version=$(timeout 60 "$1" -version 2>/dev/null | sed -nE 's/.*version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ -n $version && $(printf '%s\n' 25.04 "$version" | sort -V | head -n 1) == 25.04 ]]
}

link_nextflow() { # $1: the program behind .venv/bin/nextflow
    ln -sfn "$1" "$venv/bin/nextflow"
}

nextflow_from_path() {
    local found
    found=$(type -ap nextflow | grep -vxF "$venv/bin/nextflow" | head -n 1) || return 1
    is_recent_nextflow "$found" || return 1
    say "  it is on PATH: $found"
    link_nextflow "$found"
}

nextflow_by_download() {
    command -v curl >/dev/null || return 1
    curl -fsSL --connect-timeout 5 --max-time 30 -o "$venv/nextflow.download" https://get.nextflow.io 2>/dev/null || return 1
    chmod +x "$venv/nextflow.download"
    NXF_VER=$nextflow_version timeout 180 "$venv/nextflow.download" -version >/dev/null 2>&1 || return 1
    mkdir -p "$venv/nextflow/bin"
    mv "$venv/nextflow.download" "$venv/nextflow/bin/launcher"
    printf '#!/usr/bin/env bash\nNXF_VER=${NXF_VER:-%s} exec %q "$@"\n' "$nextflow_version" "$venv/nextflow/bin/launcher" >"$venv/nextflow/bin/nextflow"
    chmod +x "$venv/nextflow/bin/nextflow"
    say "  downloaded $nextflow_version the usual way"
    link_nextflow ../nextflow/bin/nextflow
}

nextflow_by_maven() {
    local javac
    javac=$(java_home_program javac)
    command -v mvn >/dev/null ||
        fail "missing: mvn, since no nextflow 25.04 or newer is on PATH and its download is not reachable. Install Maven (Debian, Ubuntu: apt install maven)"
    command -v "$javac" >/dev/null || fail "missing: $javac; the Java found is no JDK. Install one (Debian, Ubuntu: apt install openjdk-17-jdk-headless)"
    say "  no nextflow 25.04 or newer on PATH, its download is not reachable: $nextflow_version through Maven"
    rm -rf "$venv/nextflow"
    mkdir -p "$venv/nextflow/bin" "$venv/nextflow/lib" "$venv/nextflow/compat"
    mvn -q -B -Dstyle.color=never -f setup/nextflow/pom.xml -Dmaven.repo.local="$venv/cache/maven" \
        dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$venv/nextflow/lib"
    rm -rf "$venv/cache/maven"
    "$javac" -proc:none -cp "$venv/nextflow/lib/*" -d "$venv/nextflow/compat" $(find setup/nextflow/compat -name '*.java')
    # Left alone, the terminal's library is unpacked into /tmp under one name for all: two runs that start together can crash.
    (cd "$venv/nextflow" && "$(java_home_program jar)" xf lib/jline-2.*.jar META-INF/native/linux64 && mv META-INF/native/linux64 native && rm -r META-INF)
    cp setup/nextflow/nextflow "$venv/nextflow/bin/nextflow"
    link_nextflow ../nextflow/bin/nextflow
}

install_nextflow() {
    case ${NEXTFLOW:-} in
    path) nextflow_from_path ;;
    download) nextflow_by_download ;;
    maven) nextflow_by_maven ;;
    *) nextflow_from_path || nextflow_by_download || nextflow_by_maven ;;
    esac
    rm -f "$venv/nextflow.download"
    "$venv/bin/nextflow" -version >/dev/null
}

# ---- do what is not done yet ----

began=$SECONDS
if [[ -f $stamps/place ]] && ! stamped place "$PWD"; then
    say "the folder was moved: .venv is made anew"
    rm -rf "$venv"
fi

packages=$(digest requirements.txt)
core=$(digest $(find core -type f ! -path '*/build/*' ! -path '*.egg-info/*' \( ! -name '*.c' -o -path '*/src/*' \) ! -name '*.so' ! -path '*/__pycache__/*' | LC_ALL=C sort) requirements.txt)
nextflow=$(digest $(find setup/nextflow -type f | LC_ALL=C sort) setup/setup.sh)

if ! stamped packages "$packages" || ! stamped core "$core" || ! stamped nextflow "$nextflow" || [[ ! -x $venv/bin/nextflow ]]; then
    check_machine
    if ! stamped packages "$packages"; then
        timed "Python packages of requirements.txt into .venv ($("$python" --version))" install_packages
        stamp packages "$packages"
        stamp place "$PWD"
        rm -f "$stamps/core"
    fi
    if ! stamped core "$core"; then
        timed "the compiled core into .venv" install_core
        stamp core "$core"
    fi
    if ! stamped nextflow "$nextflow" || [[ ! -x $venv/bin/nextflow ]]; then
        timed "Nextflow as .venv/bin/nextflow" install_nextflow
        stamp nextflow "$nextflow"
    fi
    say "ready after $((SECONDS - began)) s: .venv/bin/nextflow run . -profile local …"
else
    say "all in place"
fi
