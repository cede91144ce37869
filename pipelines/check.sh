#!/usr/bin/env bash
# Check tokens, as a step of GitHub Actions or Azure Pipelines, with the pat in FOLDER: check.sh FOLDER
#
# With PAT_ADMIN_TOKEN, it checks the tokens of all users of ORG; otherwise those whose secrets are stored for the user of
# the runner. It fails if there are findings of FAIL_ON.
set -euo pipefail
scripts=$1/bin
if [ ! -d "$scripts" ]; then scripts=$1/Scripts; fi
pat=$scripts/pat
findings=(--fail-on "$FAIL_ON" --as ci --no-input)
where=(--all-orgs)
if [ -n "${ORG:-}" ]; then where=(--org "$ORG"); fi

if [ -n "${PAT_ADMIN_TOKEN:-}" ]; then
    exec "$pat" admin check --org "${ORG:-}" "${findings[@]}"
fi

# A new machine has no tokens, so nothing would be found there whatever needs attention.
if [ "$("$pat" list --stored "${where[@]}" --status all -q --query 'length(@)')" = 0 ]; then
    problem="no secret is stored for the user of this runner, so there are no tokens to check"
    if [ "${GITHUB_ACTIONS:-}" = true ]; then
        echo "::error::$problem"
    else
        echo "##vso[task.logissue type=error]$problem"
    fi
    exit 1
fi
exec "$pat" check --stored "${where[@]}" "${findings[@]}"
