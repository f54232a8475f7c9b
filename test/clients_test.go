package test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Servers and clients that people really run, on the networks of a small shop: the web server is published, the database
// is for whoever is on its network.
//
//	uplink 0.0.0.0:PORT --> WEB --+-- front
//	                        SHOP -+
//	                              +-- back -- DB
//
//	TestRealServers  nginx, published, by its name, and found by nmap; PostgreSQL, which SHOP does not reach until it is connected
const shopLab = `
name: lab@
networks: {front: {}, back: {}}
services:
  WEB@: {networks: [front], command: "nginx -c NGINX -e stderr"}
  DB@: {networks: {back: {aliases: [db]}}, command: "setpriv --reuid=postgres --regid=postgres --clear-groups POSTGRES -D DATA -c listen_addresses=* -c unix_socket_directories="}
  SHOP@: {networks: [front]}
x-uswitch: {uplink: none, keep_up: true}
`

func TestRealServers(t *testing.T) {
	needs(t, "nginx", "psql", "setpriv", "nmap")
	t.Parallel()
	database := newDatabase(t)
	page := newPage(t)
	file := strings.NewReplacer("NGINX", page, "POSTGRES", filepath.Join(database.programs, "postgres"), "DATA", database.data)
	l := startLab(t, file.Replace(shopLab))

	eventually(t, "nginx answers by its name", func() bool {
		text, _ := output(t, l.in("SHOP", "curl", "-s", "-m", "3", "http://"+l.ns("WEB")+"/")...)
		return strings.Contains(text, "the shop is open")
	})
	contains(t, l.exec("SHOP", "nmap", "-n", "-Pn", "-p", "79-81", l.addressOf("WEB")), "80/tcp open", "79/tcp closed")

	// Another network: neither by name nor by address, and the trace names the rule.
	query := []string{"psql", "-h", "db", "-U", "postgres", "-Atc", "select 6*7"}
	if text, status := output(t, l.in("SHOP", query...)...); status == 0 || !strings.Contains(text, "could not translate host name") {
		t.Errorf("the database has a name on a network that it is not on: %d %s", status, text)
	}
	byAddress := append([]string{"psql", "-h", l.addressOf("DB"), "-w"}, query[3:]...)
	if text, status := output(t, l.in("SHOP", append([]string{"env", "PGCONNECT_TIMEOUT=2"}, byAddress...)...)...); status == 0 {
		t.Errorf("the database answers another network: %s", text)
	}
	wall := l.event("the wall between the networks", func(e event) bool {
		return e.Verdict == "drop" && e.Before.Dport == 5432
	})
	contains(t, wall.Rule, "-j DROP")

	l.do("docker", "network", "connect", l.name+"_back", l.ns("SHOP"))
	eventually(t, "the database is reached by its alias", func() bool {
		text, _ := output(t, l.in("SHOP", query...)...)
		return strings.TrimSpace(text) == "42"
	})
	l.do("docker", "network", "disconnect", l.name+"_back", l.ns("SHOP"))
	if text, status := output(t, l.in("SHOP", query...)...); status == 0 {
		t.Errorf("the database is still reached: %s", text)
	}
}

// addressOf returns the address of a host that is on one network.
func (l *lab) addressOf(host string) string {
	l.t.Helper()
	out := l.do("docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", l.ns(host))
	return strings.TrimSpace(out)
}

// newPage writes a configuration of nginx with a page, and returns its path. Nothing is written outside the test.
func newPage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "nginx.conf")
	text := strings.ReplaceAll(`daemon off; user root; worker_processes 1; pid DIR/pid; error_log stderr;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  server { listen 80; location / { return 200 "the shop is open\n"; } }
}
`, "DIR", dir)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// database is a PostgreSQL cluster that trusts everybody who reaches it.
type database struct{ programs, data string }

func newDatabase(t *testing.T) database {
	t.Helper()
	// Debian keeps the server's programs off the PATH, by version.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	owner, err := user.Lookup("postgres")
	if len(found) == 0 || err != nil {
		skip(t, "the package postgresql")
	}
	dir, err := os.MkdirTemp("", "uswitch-test-pg-") // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	d := database{programs: filepath.Dir(found[len(found)-1]), data: filepath.Join(dir, "data")}
	initdb := exec.Command("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
		filepath.Join(d.programs, "initdb"), "-D", d.data, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	access := "host all all 0.0.0.0/0 trust\n"
	if err := os.WriteFile(filepath.Join(d.data, "pg_hba.conf"), []byte(access), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}
