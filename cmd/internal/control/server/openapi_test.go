package server_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"uswitch/cmd/internal/control/api"
)

// TestOpenAPIHasAllThatIsServed: what is listed is served, and nothing else is.
func TestOpenAPIHasAllThatIsServed(t *testing.T) {
	s := start(t)
	s.Start()
	for _, e := range api.Endpoints {
		if !s.Routed(e.Method, e.Path) {
			t.Errorf("%s %s is listed, and not served", e.Method, e.Path)
		}
	}
	source, err := os.ReadFile("server.go")
	if err != nil {
		t.Fatal(err)
	}
	if served := regexp.MustCompile(`"(GET|POST|DELETE) `).FindAll(source, -1); len(served) != len(api.Endpoints) {
		t.Errorf("%d things are served, %d listed", len(served), len(api.Endpoints))
	}
}

// TestOpenAPIFitsTheAnswers: what a lab answers is what its description says, no key more and none less.
func TestOpenAPIFitsTheAnswers(t *testing.T) {
	s := start(t)
	s.Start()
	var described map[string]any
	if err := s.Get(context.Background(), api.OpenAPIPath, nil, &described); err != nil {
		t.Fatal(err)
	}
	for _, schema := range described["components"].(map[string]any)["schemas"].(map[string]any) {
		schema.(map[string]any)["additionalProperties"] = false
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("api.json", described); err != nil {
		t.Fatal(err)
	}
	questions := map[string]string{"/v1/explain": `{"from": "RED", "to": "BLUE", "protocol": "icmp"}`, "/v1/why-not": `{"from": "RED", "to": "BLUE", "protocol": "tcp", "port": 80}`,
		"/v1/iptables": `{"args": ["-S"]}`}
	for _, e := range api.Endpoints {
		body, asked := questions[e.Path]
		asked = asked && e.Method == http.MethodPost
		if _, text := e.Answer.(string); text || e.Answer == nil || e.Streamed != "" || e.Path == "/v1/journey" || e.Path == api.PastPath || e.Method != http.MethodGet && !asked {
			continue
		}
		place := "api.json#/paths/" + strings.ReplaceAll(e.Path, "/", "~1") + "/" + strings.ToLower(e.Method) + "/responses/200/content/application~1json/schema"
		schema, err := compiler.Compile(place)
		if err != nil {
			t.Errorf("%s: %v", e.Path, err)
			continue
		}
		stream, err := s.Stream(context.Background(), e.Method, e.Path, url.Values{}, strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", e.Path, err)
			continue
		}
		text, _ := io.ReadAll(stream)
		stream.Close()
		answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = schema.Validate(answer)
		}
		if err != nil {
			t.Errorf("%s %s: %v\n%s", e.Method, e.Path, err, text)
		}
	}
}
