#!/bin/sh
# Runs the named tests, or all of them.
cd "$(dirname "$0")" || exit 1
failed=0
if [ $# -eq 0 ]; then
  set -- *.sh
fi
for name in "$@"; do
  case $name in run.sh | check.sh) continue ;; esac
  if sh "./${name%.sh}.sh"; then echo "ok   ${name%.sh}"; else echo "FAIL ${name%.sh}" && failed=1; fi
done
exit $failed
