package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDockerPostgres: a client on another network does not reach the database until it is connected, by the database's name.
//
//	client 172.18.0.2 --+-- front
//	client         .3 --+-- back      from docker network connect on
//	db     172.19.0.2 --+
func TestDockerPostgres(t *testing.T) {
	needs(t, "postgres", "initdb", "psql", "setpriv")
	t.Parallel()
	l := startDocker(t)

	// PostgreSQL refuses to be root, so that its files are its own user's, outside of the test's directory.
	dir, err := os.MkdirTemp("", "uswitch-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, "chown", "postgres", dir)
	postgres := []string{"setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"}
	must(t, append(postgres, "initdb", "-A", "trust", "-D", dir)...)
	access, err := os.OpenFile(filepath.Join(dir, "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = access.WriteString("host all all all trust\n")
	access.Close()
	if err != nil {
		t.Fatal(err)
	}

	l.docker("network create front")
	l.docker("network create back")
	run := append([]string{"docker", "run", "-d", "--name", l.own("db@"), "--network", "back", "postgres"}, postgres...)
	_, errs, status := l.try(append(run, "postgres", "-D", dir, "-c", "listen_addresses=*", "-c", "unix_socket_directories=")...)
	if status != 0 {
		t.Fatal(errs)
	}
	l.docker("run -d --name client@ --network front alpine sleep 1000")
	ask := func(host string) (string, int) {
		t.Helper()
		text, errs, status := l.tryDocker("exec -e PGCONNECT_TIMEOUT=2 client@ psql -h " + host + " -U postgres -Atc select(6*7)")
		return strings.TrimSpace(text) + errs, status
	}
	for _, host := range []string{"db@", l.address("db", "back")} {
		if text, status := ask(host); status == 0 {
			t.Errorf("the client reaches %s from another network: %s", host, text)
		}
	}
	l.docker("network connect back client@")
	eventually(t, "the database answers by name", func() bool {
		text, status := ask("db@")
		return status == 0 && text == "42"
	})
	l.docker("network disconnect back client@")
	if text, status := ask("db@"); status == 0 {
		t.Errorf("it still answers: %s", text)
	}
}
