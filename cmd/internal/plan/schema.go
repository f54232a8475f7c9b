package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// composeSchema is Compose's own JSON schema, compiled once. compose-go checks against it too, but stops at one mistake
// of its choice; here every mistake is wanted, with its place.
var composeSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("compose-spec.json", document); err != nil {
		return nil, err
	}
	return compiler.Compile("compose-spec.json")
})

// checkSchema notes every place where the file is not what Compose's schema says.
func (s *source) checkSchema(file map[string]any) {
	compiled, err := composeSchema()
	if err != nil {
		s.mistake(0, nil, "the Compose schema cannot be read: %v", err)
		return
	}
	invalid, ok := compiled.Validate(file).(*jsonschema.ValidationError)
	if !ok {
		return
	}
	if s.schemaError(invalid); len(s.mistakes) == 0 {
		s.mistake(0, nil, "not what Compose's schema allows")
	}
}

// serviceProperties are the keys that a service may have. The schema puts a service together from three parts and then
// forbids what none of them has accepted - which, when one part has found a mistake in its own, is every key of it.
var serviceProperties = sync.OnceValue(func() map[string]bool {
	var document struct {
		Defs map[string]struct {
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"$defs"`
	}
	properties := make(map[string]bool)
	if json.Unmarshal([]byte(schema.Schema), &document) == nil {
		for _, part := range []string{"service", "container_spec", "workload_spec"} {
			for key := range document.Defs[part].Properties {
				properties[key] = true
			}
		}
	}
	return properties
})

// fileKeys are the keys that a file may have at its top.
var fileKeys = sync.OnceValue(func() map[string]json.RawMessage {
	var document struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	_ = json.Unmarshal([]byte(schema.Schema), &document)
	return document.Properties
})

// checkKeys notes the keys at the top of a file that is read for another: of those that it does not know, compose-go takes
// nothing over, and says nothing. What is no word at all is not shown: it may be anybody's file, as /etc/shadow is root's.
func (s *source) checkKeys() {
	for _, key := range s.keys(nil) {
		_, known := fileKeys()[key]
		switch {
		case known, strings.HasPrefix(key, "x-"):
		case strings.Trim(strings.ToLower(key), "abcdefghijklmnopqrstuvwxyz_-") == "":
			s.unknown(path{key})
		default:
			s.mistake(s.line(path{key}), nil, "not a Compose file: the key here is not a word")
			return
		}
	}
}

// schemaError walks down a tree of errors to its leaves.
func (s *source) schemaError(e *jsonschema.ValidationError) {
	at := path(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		s.alternatives(e)
	case *kind.Type:
		s.wrong(at, "%s", wanted(k.Want))
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			s.unknown(at.to(key))
		}
	case *kind.FalseSchema:
		if !serviceProperties()[at[len(at)-1]] {
			s.unknown(at)
		}
	case *kind.Required:
		s.wrong(at, "%s is missing", strings.Join(k.Missing, ", "))
	case *kind.Enum:
		s.wrong(at, "want one of %s", list(k.Want))
	case *kind.UniqueItems:
		s.wrong(at, "items %d and %d are the same", k.Duplicates[0], k.Duplicates[1])
	case *kind.Pattern:
		s.wrong(at, "want a text that matches %s", k.Want)
	default:
		if len(e.Causes) == 0 {
			s.wrong(at, "not what Compose's schema allows here")
		}
		for _, cause := range e.Causes {
			s.schemaError(cause)
		}
	}
}

// alternatives handles a value that may take several forms and has none of them. A form whose type is another one was not
// meant, so what is wrong inside the others is told; where no form has the value's type, the types are.
func (s *source) alternatives(e *jsonschema.ValidationError) {
	var types []string
	var meant []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		if want := typesAt(cause, e.InstanceLocation); want != nil {
			types = append(types, want...)
		} else {
			meant = append(meant, cause)
		}
	}
	if len(meant) == 0 {
		s.wrong(path(e.InstanceLocation), "%s", wanted(types))
		return
	}
	for _, cause := range meant {
		s.schemaError(cause)
	}
}

// typesAt returns the types that a form of the value at a place would have, if it failed for its type alone.
func typesAt(e *jsonschema.ValidationError, place []string) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && slices.Equal(e.InstanceLocation, place) {
		return k.Want
	}
	var types []string
	for _, cause := range e.Causes {
		want := typesAt(cause, place)
		if want == nil {
			return nil
		}
		types = append(types, want...)
	}
	return types
}

var typeNames = map[string]string{
	"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number",
	"number": "a number", "boolean": "true or false", "null": "nothing",
}

// wanted says which types are allowed, in words.
func wanted(types []string) string {
	var names []string
	for _, t := range types {
		if t != "null" && !slices.Contains(names, typeNames[t]) {
			names = append(names, typeNames[t])
		}
	}
	slices.Sort(names)
	return "want " + strings.Join(names, " or ")
}

// unknown notes a key that does not belong where it stands.
func (s *source) unknown(at path) {
	parent := at[:len(at)-1]
	if len(parent) == 1 && (parent[0] == "services" || parent[0] == "networks") {
		return // a name that Compose does not allow either; names has told so
	}
	if allowed := allowedIn(parent); allowed != nil {
		s.wrong(at, "no such key: uswitch acts on %s", strings.Join(allowed, ", "))
		return
	}
	s.wrong(at, "no such key in a Compose file")
}

func list(values []any) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprint(v))
	}
	return strings.Join(texts, ", ")
}

// The keys that uswitch acts on, by place. What else Compose's schema allows is warned of and left alone.
var (
	topKeys        = []string{"name", "networks", "services", "x-uswitch"}
	networkKeys    = []string{"attachable", "driver_opts", "enable_ipv6", "internal", "ipam", "name", "x-uswitch"}
	ipamKeys       = []string{"config"}
	poolKeys       = []string{"aux_addresses", "gateway", "ip_range", "subnet"}
	serviceKeys    = []string{"cap_add", "cap_drop", "command", "container_name", "depends_on", "deploy", "dns", "dns_opt", "dns_search", "entrypoint", "env_file", "environment", "extra_hosts", "group_add", "hostname", "links", "mac_address", "network_mode", "networks", "ports", "privileged", "profiles", "read_only", "scale", "security_opt", "sysctls", "ulimits", "user", "working_dir", "x-uswitch"}
	attachmentKeys = []string{"aliases", "gw_priority", "interface_name", "ipv4_address", "ipv6_address", "mac_address", "priority", "x-uswitch"}
	portKeys       = []string{"host_ip", "name", "protocol", "published", "target"}
)

// allowedIn returns the keys that uswitch acts on in the mapping at a path, or nil where it does not look.
func allowedIn(at path) []string {
	places := []struct {
		pattern path
		keys    []string
	}{
		{path{}, topKeys},
		{path{"networks", "*"}, networkKeys},
		{path{"networks", "*", "ipam"}, ipamKeys},
		{path{"networks", "*", "ipam", "config", "*"}, poolKeys},
		{path{"services", "*"}, serviceKeys},
		{path{"services", "*", "networks", "*"}, attachmentKeys},
		{path{"services", "*", "ports", "*"}, portKeys},
	}
	for _, p := range places {
		matches := func(pattern, key string) bool { return pattern == "*" || pattern == key }
		if slices.EqualFunc(p.pattern, at, matches) {
			return p.keys
		}
	}
	return nil
}
