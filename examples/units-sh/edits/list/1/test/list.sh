. "$(dirname "$0")/check.sh"

# Units of one dimension stand together on one line; which others there are is not this test's business.
actual=$(sh "$units" --list)
for line in "length: m km mi" "mass: g kg lb" "temperature: C F K" "volume: l ml pt"; do
  if ! echo "$actual" | grep -qx "$line"; then
    echo "units --list: expected a line '$line' in: $actual"
    failed=1
  fi
done

exit $failed
