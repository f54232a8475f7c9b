package lab

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// startOrder returns the services in the order in which they start: the file's, with everything that a service depends on
// before it. Services that belong to a profile which is not active are left out.
func (b *builder) startOrder() []string {
	var order []string
	state := make(map[string]int) // 0 not met, 1 on the way, 2 done
	var visit func(name string, way []string)
	visit = func(name string, way []string) {
		if state[name] == 2 {
			return
		}
		if state[name] == 1 {
			circle := append(slices.Clone(way[slices.Index(way, name):]), name)
			b.wrong(path{"services", name, "depends_on"}, "a circle: %s", clip(strings.Join(circle, " -> "), 300))
			return
		}
		state[name] = 1
		for _, other := range b.keys(path{"services", name, "depends_on"}) {
			if _, ok := b.project.Services[other]; ok {
				visit(other, append(way, name))
			}
		}
		state[name] = 2
		order = append(order, name)
	}
	for _, name := range b.keys(path{"services"}) {
		if _, ok := b.project.Services[name]; ok {
			visit(name, nil)
		} else {
			b.warn(b.line(path{"services", name}), "services.%s: left out: none of its profiles is active (COMPOSE_PROFILES)", name)
		}
	}
	return order
}

// dependencies returns what a service waits for.
func (b *builder) dependencies(service types.ServiceConfig, at path) []Dependency {
	var all []Dependency
	for _, name := range sortedKeys(service.DependsOn) {
		at := at.to("depends_on", name)
		dependency := service.DependsOn[name]
		if _, ok := b.project.Services[name]; !ok {
			if dependency.Required {
				b.wrong(at, "no such service: want one of %s", clip(strings.Join(sortedKeys(b.project.Services), ", "), 300))
			}
			continue
		}
		if dependency.Condition == types.ServiceConditionHealthy {
			b.warn(b.line(at), "%s: service_healthy is taken as service_started: a host is ready once it has been started", at)
		}
		all = append(all, Dependency{Host: name, Completed: dependency.Condition == types.ServiceConditionCompletedSuccessfully})
	}
	return all
}
