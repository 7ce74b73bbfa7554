# convert VALUE FROM TO TABLE...: a table is one dimension, its lines are "unit value-in-the-first-unit".
# Status 2: no way from one unit to the other.
convert() {
  value=$1 from=$2 to=$3
  shift 3
  awk -v value="$value" -v from="$from" -v to="$to" '
    $1 == from { dimension_from = FILENAME; factor_from = $2 }
    $1 == to { dimension_to = FILENAME; factor_to = $2 }
    END {
      if (dimension_from == "" || dimension_from != dimension_to) {
        print "units: no way from " from " to " to > "/dev/stderr"
        exit 2
      }
      printf "%.6g\n", value * factor_from / factor_to
    }
  ' "$@"
}
