# Sourced by the scripts in ci/: finding what is missing, installing it, and saying what is done.
# shellcheck shell=sh

say()
{
    printf '== %s\n' "$*"
}

# Ends the script with a reason.
fail()
{
    printf 'ci: %s\n' "$*" >&2
    exit 1
}

missing=''

# Notes PACKAGE as missing unless COMMAND is there: need COMMAND PACKAGE
need()
{
    command -v "$1" >/dev/null 2>&1 || need_package "$2"
}

need_package()
{
    case " $missing " in
    *" $1 "*) ;;
    *) missing="$missing $1" ;;
    esac
}

# Whether COMPILER makes programs of LANGUAGE, with what else it is given: makes_programs gcc c -fsanitize=address
makes_programs()
{
    compiler=$1
    language=$2
    shift 2
    echo '#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }' | "$compiler" -x "$language" "$@" - -o /dev/null >/dev/null 2>&1
}

# What every part needs: a C compiler, CMake and Ninja.
need_build_tools()
{
    need gcc gcc
    makes_programs gcc c || need_package libc6-dev
    need cmake cmake
    need ninja ninja-build
}

# How this user may install packages: the words before apt-get, or a failure.
right_to_install()
{
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true >/dev/null 2>&1; }; then
        echo sudo
    else
        return 1
    fi
}

# Installs what need() found missing, or names it and ends the script.
install_missing()
{
    [ -n "$missing" ] || return 0
    if ! as_root=$(right_to_install); then
        fail "these packages are missing, and this user may not install them:$missing
    Run this script as root or with sudo, or have them installed: apt-get install$missing"
    fi
    say "Installing what is missing:$missing"
    patient='-o DPkg::Lock::Timeout=600' # somebody else may be installing
    # shellcheck disable=SC2086
    $as_root apt-get $patient update -q || fail "the list of packages could not be fetched: is there a network?"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get $patient install -q -y --no-install-recommends $missing ||
        fail "apt-get could not install:$missing"
    missing=''
}

# The compiler's run-time libraries for -fsanitize are a package of their own on some systems, named after its version.
needs_of_sanitizer()
{
    if ! makes_programs clang c -fsanitize="$1"; then
        need_package "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
        install_missing
    fi
}

# Ends the script if the installed CMake is too old for the presets.
check_cmake_version()
{
    version=$(cmake --version | sed -n 's/^cmake version \([0-9]*\.[0-9]*\).*/\1/p')
    major=${version%%.*}
    minor=${version##*.}
    [ "$major" -gt 3 ] || { [ "$major" = 3 ] && [ "$minor" -ge 20 ]; } ||
        fail "CMake is $version, and 3.20 is needed: Debian 12 and Ubuntu 22.04 have it"
}

# Whether the installed Wine is new enough: 6 does not know all that the suite asks of Windows.
wine_serves()
{
    version=$(wine --version 2>/dev/null | sed -n 's/^wine-\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 8 ]
}

# Configures (if need be) and builds the preset, or some of its targets: build PRESET [--target TARGET...]
build()
{
    preset=$1
    shift
    say "Building preset $preset"
    cmake --preset "$preset" >"build/configure-$preset.log" 2>&1 ||
        { cat "build/configure-$preset.log"; return 1; }
    cmake --build --preset "$preset" "$@"
}
