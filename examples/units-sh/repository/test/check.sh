# What every test uses: prints what differs, and remembers it for the exit status.
units="$(dirname "$0")/../units.sh"
failed=0

# check EXPECTED ARGUMENT...: units ARGUMENT... prints EXPECTED.
check() {
  expected=$1
  shift
  actual=$(sh "$units" "$@" 2>&1) || true
  if [ "$actual" != "$expected" ]; then
    echo "units $*: expected '$expected', but it is '$actual'"
    failed=1
  fi
}
