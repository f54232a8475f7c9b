package client_test

import (
	"encoding/json"
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/client"
)

// TestRequest: flags, and the part of the request that they come to.
func TestRequest(t *testing.T) {
	environment := func(name string) (string, bool) { return "of-here", name == "SET" }
	for _, test := range []struct {
		name    string
		options client.Options
		want    []string // parts of the request's JSON
	}{
		{"nothing", client.Options{}, []string{`"NetworkMode":"default"`, `"EndpointsConfig":{}`, `"OpenStdin":false`, `"AttachStdout":true`, `"Cmd":["sh"]`, `"Image":"busybox"`}},
		{"-dit --rm", client.Options{Detach: true, Interactive: true, TTY: true, Remove: true},
			[]string{`"OpenStdin":true`, `"StdinOnce":false`, `"Tty":true`, `"AttachStdin":false`, `"AutoRemove":true`}},
		{"-i", client.Options{Interactive: true}, []string{`"OpenStdin":true`, `"StdinOnce":true`}},
		{"-e", client.Options{Env: []string{"A=1=2", "SET", "UNSET", "EMPTY="}}, []string{`"Env":["A=1=2","SET=of-here","EMPTY="]`}},
		{"-p", client.Options{Publish: []string{"8080:80", "127.0.0.1::53/udp", "9000-9001:90-91"}}, []string{
			`"80/tcp":[{"HostIp":"","HostPort":"8080"}]`, `"53/udp":[{"HostIp":"127.0.0.1","HostPort":""}]`,
			`"90/tcp":[{"HostIp":"","HostPort":"9000"}]`, `"91/tcp":[{"HostIp":"","HostPort":"9001"}]`}},
		{"--expose", client.Options{Expose: []string{"80", "53/udp", "7000-7001"}, PublishAll: true},
			[]string{`"ExposedPorts":{"53/udp":{},"7000/tcp":{},"7001/tcp":{},"80/tcp":{}}`, `"PublishAllPorts":true`}},
		{"--network", client.Options{Networks: []string{"front"}, Aliases: []string{"www"}, IP: "10.1.0.9", MAC: "02:00:00:00:00:09"},
			[]string{`"NetworkMode":"front"`, `"front":{"IPAMConfig":{"IPv4Address":"10.1.0.9"},"Links":null,"Aliases":["www"],"MacAddress":"02:00:00:00:00:09"`}},
		{"--network twice", client.Options{Networks: []string{"front", "name=back,alias=db,ip=10.2.0.9,gw-priority=7"}},
			[]string{`"NetworkMode":"front"`, `"back":{"IPAMConfig":{"IPv4Address":"10.2.0.9"},"Links":null,"Aliases":["db"],"MacAddress":"","DriverOpts":null,"GwPriority":7`}},
		{"--network host", client.Options{Networks: []string{"host"}}, []string{`"NetworkMode":"host"`, `"EndpointsConfig":{}`}},
		{"--ip alone", client.Options{IP: "10.1.0.9"}, []string{`"default":{"IPAMConfig":{"IPv4Address":"10.1.0.9"}`}},
		{"names", client.Options{AddHosts: []string{"db:10.0.0.1", "x=::1", "h:host-gateway"}, DNS: []string{"8.8.8.8"}, Links: []string{"web:www"}},
			[]string{`"Dns":["8.8.8.8"]`, `"ExtraHosts":["db:10.0.0.1","x:::1","h:host-gateway"]`, `"Links":["web:www"]`}},
		{"--entrypoint", client.Options{Entrypoint: "ping", Labels: []string{"a=b", "c"}}, []string{`"Entrypoint":["ping"]`, `"Labels":{"a":"b","c":""}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := test.options.Request("busybox", []string{"sh"}, environment)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(r)
			for _, want := range test.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("want %s in\n%s", want, text)
				}
			}
		})
	}
}

// TestRequestMistakes compares docker's words (docker 28.2.2, each line typed there).
func TestRequestMistakes(t *testing.T) {
	for _, test := range []struct {
		options client.Options
		want    string
	}{
		{client.Options{Publish: []string{"abc:80"}}, "invalid hostPort: abc"},
		{client.Options{Publish: []string{"99999:80"}}, "invalid hostPort: 99999"},
		{client.Options{Expose: []string{"99999"}}, `invalid range format for --expose: 99999, error: strconv.ParseUint: parsing "99999": value out of range`},
		{client.Options{MAC: "zz"}, "zz is not a valid mac address"},
		{client.Options{AddHosts: []string{"foo"}}, `invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"`},
		{client.Options{DNS: []string{"1.2"}}, `invalid argument "1.2" for "--dns" flag: IP address is not correctly formatted: 1.2`},
		{client.Options{Links: []string{"a:b:c"}}, `invalid argument "a:b:c" for "--link" flag: bad format for links: a:b:c`},
		{client.Options{Networks: []string{"front", "host"}}, "conflicting options: cannot attach both user-defined and non-user-defined network-modes"},
		{client.Options{Networks: []string{"front", "front"}}, `network "front" is specified multiple times`},
		{client.Options{Networks: []string{"container:x"}, MAC: "02:00:00:00:00:01"}, "conflicting options: mac-address and the network mode"},
	} {
		if _, err := test.options.Request("busybox", nil, nil); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

func TestNetworkRequest(t *testing.T) {
	o := client.NetworkOptions{Driver: "bridge", Subnets: []string{"10.5.0.0/24"}, Gateways: []string{"10.5.0.254"}, Ranges: []string{"10.5.0.128/25"},
		Aux: []string{"printer=10.5.0.9"}, Options: []string{"com.docker.network.driver.mtu=1400"}, Internal: true}
	r, err := o.Request("front")
	text, _ := json.Marshal(r)
	want := `{"Name":"front","Driver":"bridge","Internal":true,"IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"10.5.0.0/24",` +
		`"IPRange":"10.5.0.128/25","Gateway":"10.5.0.254","AuxiliaryAddresses":{"printer":"10.5.0.9"}}]},"Options":{"com.docker.network.driver.mtu":"1400"}}`
	if err != nil || string(text) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, text, want)
	}
	for _, o := range []client.NetworkOptions{{Gateways: []string{"10.5.0.1"}}, {Subnets: []string{"10.5.0.0/24", "10.6.0.0/24"}}} {
		if _, err := o.Request("front"); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
