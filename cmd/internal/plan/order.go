package plan

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
			key := "depends_on"
			if len(b.keys(path{"services", name, key})) == 0 {
				key = "network_mode"
			}
			b.wrong(path{"services", name, key}, "a circle: %s", clip(strings.Join(circle, " -> "), 300))
			return
		}
		state[name] = 1
		others := b.keys(path{"services", name, "depends_on"})
		for _, other := range sortedKeys(b.project.Services[name].DependsOn) {
			if !slices.Contains(others, other) { // of a service that this one extends
				others = append(others, other)
			}
		}
		if other, ok := b.shared(name); ok {
			others = append(others, other)
		}
		for _, other := range others {
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

// dependencies returns what a service waits for. The one whose namespace it shares is among them.
func (b *builder) dependencies(service types.ServiceConfig, at path) []Dependency {
	var all []Dependency
	if shared, ok := b.shared(service.Name); ok {
		if _, listed := service.DependsOn[shared]; !listed {
			all = append(all, Dependency{Host: shared})
		}
	}
	for _, name := range sortedKeys(service.DependsOn) {
		at := at.to("depends_on", name)
		dependency := service.DependsOn[name]
		if _, ok := b.project.Services[name]; !ok {
			if dependency.Required && service.NetworkMode != types.ServicePrefix+name { // mode tells of that
				b.wrong(at, "no such service: %s", oneOf(sortedKeys(b.project.Services)))
			}
			continue
		}
		if dependency.Condition == types.ServiceConditionHealthy {
			b.warn(b.line(at), "%s: service_healthy is taken as service_started: a host is ready once it has been started", at)
		}
		all = append(all, Dependency{Host: name, Completed: dependency.Condition == types.ServiceConditionCompletedSuccessfully})
	}
	slices.SortFunc(all, func(a, b Dependency) int { return strings.Compare(a.Host, b.Host) })
	return all
}
