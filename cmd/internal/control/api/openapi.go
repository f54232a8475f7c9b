package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// OpenAPI describes all Endpoints as OpenAPI 3.1 does (https://spec.openapis.org/oas/v3.1.0), with a JSON schema for each type,
// which is read off the type itself.
func OpenAPI() map[string]any {
	d := describer{}
	paths := map[string]map[string]any{}
	for _, e := range Endpoints {
		if paths[e.Path] == nil {
			paths[e.Path] = map[string]any{}
		}
		paths[e.Path][strings.ToLower(e.Method)] = d.operation(&e)
	}
	failed := map[string]any{"description": "why not", "content": d.content(Error{}, "")}
	return map[string]any{"openapi": "3.1.0", "info": map[string]any{"title": "the control socket of a uswitch lab", "version": strconv.Itoa(Version)},
		"paths": paths, "components": map[string]any{"schemas": map[string]any(d), "responses": map[string]any{"failed": failed}}}
}

// describer has the schemas of the types that were met, by name.
type describer map[string]any

func (d describer) operation(e *Endpoint) map[string]any {
	answer := map[string]any{"description": "done"}
	if e.Answer != nil {
		answer = map[string]any{"description": "the answer", "content": d.content(e.Answer, e.Streamed)}
	}
	o := map[string]any{"summary": e.About, "responses": map[string]any{"200": answer, "default": map[string]any{"$ref": "#/components/responses/failed"}}}
	if e.Request != nil {
		o["requestBody"] = map[string]any{"content": d.content(e.Request, "")}
	}
	parameters := []any{}
	for _, key := range e.Query {
		name, several := strings.CutSuffix(key, "*")
		schema := map[string]any{"type": "string"}
		if several {
			schema = map[string]any{"type": "array", "items": schema}
		}
		parameters = append(parameters, map[string]any{"in": "query", "name": name, "schema": schema})
	}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	return o
}

// content is a body of a value's type.
func (d describer) content(value any, kind string) map[string]any {
	switch value.(type) {
	case string:
		return map[string]any{"text/plain": map[string]any{}}
	case []byte:
		return map[string]any{binary: map[string]any{}}
	}
	if kind == "" {
		kind = "application/json"
	}
	return map[string]any{kind: map[string]any{"schema": d.schema(reflect.TypeOf(value))}}
}

var (
	textual = reflect.TypeFor[encoding.TextMarshaler]()
	special = reflect.TypeFor[json.Marshaler]()
)

func (d describer) schema(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Implements(textual) || reflect.PointerTo(t).Implements(textual):
		return map[string]any{"type": "string"}
	case t.Implements(special):
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return map[string]any{"type": []string{"array", "null"}, "items": d.schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": d.schema(t.Elem())}
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{d.schema(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.Struct:
		return d.named(t)
	}
	return map[string]any{} // anything
}

// named describes a struct once.
func (d describer) named(t reflect.Type) map[string]any {
	name, _, _ := strings.Cut(t.Name(), "[")
	if _, known := d[name]; !known {
		d[name] = nil // while it is described: a type may have itself in it
		properties, required := map[string]any{}, []string{}
		for _, f := range reflect.VisibleFields(t) {
			key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported() || key == "-" || f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct:
				continue
			case key == "":
				key = f.Name
			}
			properties[key] = d.schema(f.Type)
			if !strings.Contains(options, "omit") {
				required = append(required, key)
			}
		}
		d[name] = map[string]any{"type": "object", "properties": properties, "required": required}
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}
