#!/usr/bin/env bash
# Install pat from the checkout that holds this file, into the new virtual environment FOLDER: install.sh FOLDER
set -euo pipefail
folder=$1
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# On Windows, python3 may be a stub that only opens the Store.
for python in python3 python py; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        "$python" -m venv --clear "$folder"
        scripts=$folder/bin
        if [ ! -d "$scripts" ]; then scripts=$folder/Scripts; fi
        # The packages of this commit's list only, as their code gets the tokens; none is downloaded for building either.
        pip=("$scripts/python" -m pip --quiet --disable-pip-version-check install)
        "${pip[@]}" --only-binary=:all: --require-hashes --requirement "$source/pipelines/requirements.txt"
        "${pip[@]}" --no-index --no-deps --no-build-isolation "$source"
        "$scripts/pat" --version
        exit
    fi
done
echo "pat needs Python 3.11 or later" >&2
exit 1
