package plan

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"
)

// replica is a host of a service that has several, or none but by a number: web-1 to web-n.
type replica struct {
	service string
	number  int // from 1
}

// maxScale is how many hosts a service may have.
const maxScale = maxNames

// scale writes out services of which there is not one host: web with scale: 3 becomes web-1, web-2 and web-3, each of which answers to
// web as well; who depends on it depends on all of them. given is what the command line says.
func (s *source) scale(content map[string]any, given map[string]int) {
	services, _ := content["services"].(map[string]any)
	for _, name := range sortedKeys(given) {
		if _, ok := services[name]; !ok {
			s.mistake(0, nil, "scale: no such service: %s: %s", clip(name, 60), oneOf(sortedKeys(services)))
		}
	}
	if err := checkScale(given); err != nil {
		s.mistake(0, nil, "%v", err)
		return
	}
	now := map[string][]string{}
	for _, name := range s.keys(path{"services"}) {
		service, _ := services[name].(map[string]any)
		n, said := s.scaleOf(name, service)
		if number, ok := given[name]; ok {
			n, said = number, true
		}
		if !said || n == 1 {
			continue
		}
		if service["container_name"] != nil && n > 1 {
			s.wrong(path{"services", name, "container_name"}, "%d hosts cannot all be called so", n)
			continue
		}
		now[name] = make([]string, 0, n)
		for i := range n {
			one := fmt.Sprintf("%s-%d", name, i+1)
			if _, taken := services[one]; taken {
				s.wrong(path{"services", one}, "host %d of %s is called so too", i+1, name)
			}
			now[name] = append(now[name], one)
			services[one] = maps.Clone(service)
			s.replicas[one] = replica{name, i + 1}
		}
		delete(services, name)
	}
	if len(now) == 0 {
		return
	}
	s.writeOut(now)
	for _, name := range sortedKeys(services) {
		if service, ok := services[name].(map[string]any); ok {
			dependOn(service, now)
		}
	}
}

// checkScale says which number of hosts that a command line wants for a service cannot be.
func checkScale(given map[string]int) error {
	for _, name := range sortedKeys(given) {
		if n := given[name]; n < 0 || n > maxScale {
			return fmt.Errorf("scale: %s=%d: want a whole number from 0 to %d", clip(name, 60), n, maxScale)
		}
	}
	return nil
}

// scaleOf reads how many hosts a service says that it has.
func (s *source) scaleOf(name string, service map[string]any) (n int, said bool) {
	at := path{"services", name, "scale"}
	value := service["scale"]
	if deploy, ok := service["deploy"].(map[string]any); ok && value == nil && deploy["mode"] != "global" {
		value, at = deploy["replicas"], path{"services", name, "deploy", "replicas"}
	}
	if value == nil {
		return 1, false
	}
	if _, err := fmt.Sscan(fmt.Sprint(value), &n); err != nil || n < 0 || n > maxScale {
		s.wrong(at, "%s: want a whole number from 0 to %d", clip(fmt.Sprint(value), 40), maxScale)
		return 1, false
	}
	return n, true
}

// writeOut puts the names of replicas into the place of their service's.
func (s *source) writeOut(now map[string][]string) {
	_, services := child(s.root, "services", 0)
	services = target(services)
	var content []*yaml.Node
	for i := 0; i+1 < len(services.Content); i += 2 {
		key, value := services.Content[i], services.Content[i+1]
		names, several := now[key.Value]
		if !several {
			content = append(content, key, value)
			continue
		}
		for _, name := range names {
			one := *target(key)
			one.Value = name
			content = append(content, &one, value)
		}
	}
	services.Content = content
}

// dependOn leads what a service depends on to the hosts that there are.
func dependOn(service map[string]any, now map[string][]string) {
	switch on := service["depends_on"].(type) {
	case []any:
		var all []any
		for _, name := range on {
			if names, several := now[fmt.Sprint(name)]; several {
				for _, one := range names {
					all = append(all, one)
				}
			} else {
				all = append(all, name)
			}
		}
		service["depends_on"] = all
	case map[string]any:
		all := maps.Clone(on)
		for name, names := range now {
			if condition, ok := on[name]; ok {
				delete(all, name)
				for _, one := range names {
					all[one] = condition
				}
			}
		}
		service["depends_on"] = all
	}
}

// serviceOf returns which service a host is of, and which of its hosts.
func (s *source) serviceOf(host string) replica {
	if r, ok := s.replicas[host]; ok {
		return r
	}
	return replica{host, 1}
}

// hostsOf returns the hosts of a service.
func (b *builder) hostsOf(service string) (all []string) {
	if _, ok := b.project.Services[service]; ok {
		return []string{service}
	}
	for name := range b.project.Services {
		if b.serviceOf(name).service == service {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
