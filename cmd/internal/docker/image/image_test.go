package image_test

import (
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/image"
)

func TestLookup(t *testing.T) {
	for reference, want := range map[string]string{
		"nginx":                                "uswitch serve -p 80",
		"docker.io/library/nginx:1.27-alpine":  "uswitch serve -p 80",
		"localhost:5000/me/httpd@sha256:00ff0": "uswitch serve -p 80",
		"traefik/whoami":                       "uswitch serve -p 80",
		"busybox:latest":                       "sh",
		"ubuntu:24.04":                         "bash",
		"postgres:16":                          "postgres",
		"somebody/env":                         "env", // a program of this machine
		"no-such-image-here":                   "",
		"":                                     "",
	} {
		if got := strings.Join(image.Lookup(reference).Command, " "); got != want {
			t.Errorf("%s: %q, want %q", reference, got, want)
		}
	}
	if got := image.Lookup("nginx").Exposed; !slices.Equal(got, []string{"80/tcp"}) {
		t.Errorf("nginx exposes %v", got)
	}
}

func TestProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for line, want := range map[string]string{"ash -c ls": "sh -c ls", "sleep 300": "sleep 300", "": ""} {
		if got := strings.Join(image.Program(strings.Fields(line)), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
