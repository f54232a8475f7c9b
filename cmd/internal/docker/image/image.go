// Package image knows what runs here in place of an image: nothing of an image is ever used, but people know what its
// name stands for.
package image

import (
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// Image is what is known of an image without having it.
type Image struct {
	Command []string // what runs if a container names no command; nil: there is nothing to run
	Exposed []string // its ports, as in 80/tcp
	About   string   // what Command is, for the line that says so; empty if it is the program that people expect
}

// server is what stands in for every web server.
func server(ports ...string) Image {
	return Image{Command: []string{"uswitch", "serve", "-p", strings.TrimSuffix(ports[0], "/tcp")}, Exposed: ports,
		About: "uswitch's own small web server"}
}

// shell is what an image starts that is a system for itself.
func shell(name string) Image { return Image{Command: []string{name}} }

// program is one that is expected on this machine.
func program(exposed string, argv ...string) Image {
	return Image{Command: argv, Exposed: []string{exposed}}
}

var known = map[string]Image{
	"nginx": server("80/tcp"), "httpd": server("80/tcp"), "caddy": server("80/tcp", "443/tcp"), "whoami": server("80/tcp"),
	"hello": server("80/tcp"), "nginx-unprivileged": server("8080/tcp"), "http-echo": server("5678/tcp"), "echo-server": server("8080/tcp"),
	"busybox": shell("sh"), "alpine": shell("sh"), "curl": shell("sh"), "bridge-utils": shell("sh"),
	"ubuntu": shell("bash"), "debian": shell("bash"), "centos": shell("bash"), "fedora": shell("bash"), "rockylinux": shell("bash"),
	"almalinux": shell("bash"), "amazonlinux": shell("bash"), "archlinux": shell("bash"), "netshoot": shell("bash"),
	"redis": program("6379/tcp", "redis-server"), "postgres": program("5432/tcp", "postgres"), "mysql": program("3306/tcp", "mysqld"),
	"mariadb": program("3306/tcp", "mariadbd"), "mongo": program("27017/tcp", "mongod"), "memcached": program("11211/tcp", "memcached"),
	"rabbitmq": program("5672/tcp", "rabbitmq-server"), "python": shell("python3"), "node": shell("node"), "golang": shell("bash"),
}

// Lookup says what is known of an image. Of one that nobody knows, its name may be that of a program on this machine's PATH.
func Lookup(reference string) Image {
	name := Name(reference)
	if i, ok := known[name]; ok {
		return i
	}
	if _, err := exec.LookPath(name); err == nil && name != "" {
		return Image{Command: []string{name}}
	}
	return Image{}
}

// Names returns the images that are known by name, sorted.
func Names() []string { return slices.Sorted(maps.Keys(known)) }

// Name returns what an image is called without registry, owner, tag and digest: nginx for docker.io/library/nginx:1.27.
func Name(reference string) string {
	reference, _, _ = strings.Cut(reference, "@")
	name, _, _ := strings.Cut(path.Base(reference), ":")
	return strings.ToLower(name)
}

// applets are programs that small images have and machines have under another name.
var applets = map[string]string{"ash": "sh"}

// Program returns the words of a command as this machine can run them.
func Program(argv []string) []string {
	if len(argv) == 0 {
		return argv
	}
	if other, ok := applets[argv[0]]; ok {
		if _, err := exec.LookPath(argv[0]); err != nil {
			return append([]string{other}, argv[1:]...)
		}
	}
	return argv
}
