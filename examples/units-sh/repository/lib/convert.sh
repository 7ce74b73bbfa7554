# convert VALUE FROM TO TABLE: a table line is "dimension unit value-in-base-unit". Status 2: no way from one to the other.
convert() {
  awk -v value="$1" -v from="$2" -v to="$3" '
    $2 == from { dimension_from = $1; factor_from = $3 }
    $2 == to { dimension_to = $1; factor_to = $3 }
    END {
      if (dimension_from == "" || dimension_from != dimension_to) {
        print "units: no way from " from " to " to > "/dev/stderr"
        exit 2
      }
      printf "%.6g\n", value * factor_from / factor_to
    }
  ' "$4"
}
