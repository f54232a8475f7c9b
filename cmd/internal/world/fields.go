package world

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// fieldsThatDiffer names what differs between two values of one struct type, as the plan's JSON has it: with the new value
// if that is short, as in ageing_time=10. Fields of a list of names are left out.
func fieldsThatDiffer[T any](a, b T, except ...string) (names []string) {
	from, to := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range from.NumField() {
		name, _, _ := strings.Cut(from.Type().Field(i).Tag.Get("json"), ",")
		x, y := from.Field(i).Interface(), to.Field(i).Interface()
		if slices.Contains(except, name) || reflect.DeepEqual(x, y) {
			continue
		}
		switch value := y.(type) {
		case bool:
			name += "=" + map[bool]string{true: "on", false: "off"}[value]
		case string, int:
			name += fmt.Sprintf("=%v", value)
		}
		names = append(names, name)
	}
	return names
}
