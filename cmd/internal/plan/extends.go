package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/override"
)

// extend gives each service that extends another one of the file what that one says, as Compose merges it. What names another
// file stays: a lab runs with privileges that its author may not have, and reads no file but its own and the .env beside it.
func (s *source) extend(file map[string]any) {
	services, _ := file["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s.extendService(services, name, nil)
	}
}

// extendService is extend for one service; way is who has come here by extending it.
func (s *source) extendService(services map[string]any, name string, way []string) {
	service, _ := services[name].(map[string]any)
	other, file := extended(service["extends"])
	at := path{"services", name, "extends"}
	if way = append(way, name); other == "" || file {
		return
	}
	if slices.Contains(way, other) {
		s.wrong(at, "a circle: %s", clip(strings.Join(append(way, other), " -> "), 300))
		delete(service, "extends")
		return
	}
	if _, ok := services[other].(map[string]any); !ok {
		s.wrong(at, "no such service %q: %s", clip(other, MaxName), oneOf(slices.Sorted(maps.Keys(services))))
		delete(service, "extends")
		return
	}
	s.extendService(services, other, way)
	base := copied(services[other]).(map[string]any)
	delete(base, "extends")
	merged, err := override.ExtendService(base, service)
	if err != nil {
		s.wrong(at, "%s", strings.Join(strings.Fields(clip(err.Error(), 200)), " "))
		merged = service
	}
	delete(merged, "extends")
	services[name] = merged
}

// extended reads extends in both its forms: whom, and whether that one is in another file.
func extended(value any) (service string, file bool) {
	switch value := value.(type) {
	case string:
		return value, false
	case map[string]any:
		service, _ = value["service"].(string)
		_, file = value["file"]
	}
	return service, file
}

// copied copies a value of the file with all that it holds.
func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(value))
		for key, one := range value {
			all[key] = copied(one)
		}
		return all
	case []any:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = copied(one)
		}
		return all
	}
	return value
}
