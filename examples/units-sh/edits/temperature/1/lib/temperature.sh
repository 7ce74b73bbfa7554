# Degrees have no common zero, so that a factor alone does not convert them.
is_temperature() {
  case $1 in C | F | K) return 0 ;; *) return 1 ;; esac
}

convert_temperature() {
  awk -v value="$1" -v from="$2" -v to="$3" 'BEGIN {
    kelvin = from == "C" ? value + 273.15 : from == "F" ? (value + 459.67) * 5 / 9 : value
    printf "%.6g\n", to == "C" ? kelvin - 273.15 : to == "F" ? kelvin * 9 / 5 - 459.67 : kelvin
  }'
}
