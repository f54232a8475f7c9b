package image_test

import (
	"os"
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

// TestIn: in a small image the programs are busybox's, where this machine has one with that program; in others they never are.
func TestIn(t *testing.T) {
	if !image.HasBusybox() {
		if os.Getenv("CI") == "true" {
			t.Fatal("busybox is not installed")
		}
		t.Skip("busybox is not installed")
	}
	for _, test := range []struct{ image, line, want string }{
		{"busybox", "ping -c 1 x", "busybox ping -c 1 x"},
		{"docker.io/library/alpine:3.20", "/bin/sh -c ls", "busybox sh -c ls"},
		{"busybox:1.36", "ash", "busybox ash"},
		{"busybox", "no-such-applet", "no-such-applet"},
		{"busybox", "/opt/ping", "/opt/ping"},
		{"nginx", "ping x", "ping x"},
		{"busybox", "", ""},
	} {
		if got := strings.Join(image.In(test.image, strings.Fields(test.line)), " "); got != test.want {
			t.Errorf("%s: %q: %q, want %q", test.image, test.line, got, test.want)
		}
	}
}
