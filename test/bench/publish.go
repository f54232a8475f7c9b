//go:build linux

package main

// publishedPort is where the outside asks for the inside's server.
const publishedPort = 5301

const publishedTitle = "A published port"

// published is a port of the host's that leads to a server inside.
func published() chapter {
	return chapter{
		title: publishedTitle,
		subjects: []subject{
			{name: "uswitch", up: natLab(1500)},
			{name: "slirp4netns", needs: []string{"slirp4netns"}, up: slirp4netns(65520)},
			{name: "gvproxy", needs: []string{"gvproxy", "vm"}, up: gvproxy(65520)},
			{name: "docker-proxy", needs: []string{"docker-proxy"}, up: dockerProxy},
			{name: "rootlesskit, builtin", needs: []string{"rootlesskit", "slirp4netns", "newuidmap"}, up: rootlesskit, slow: true},
		},
		cells: []cell{
			{"TCP in, 1 stream", "Gbit/s", true, stream((*pair).back)},
			{"TCP in, 4 streams", "Gbit/s", false, stream((*pair).back, "-P", "4")},
			{"new connections", "1/s", true, newConnections((*pair).back)},
			{"round trip of a byte", "us", false, byteRoundTrip((*pair).back)},
		},
		goals: []goal{
			{cell: "TCP in, 1 stream", subject: "uswitch", beside: []string{"slirp4netns", "gvproxy"}, name: "the better of slirp4netns and gvproxy", atLeast: 1.5},
			{cell: "TCP in, 4 streams", subject: "uswitch", beside: []string{"slirp4netns", "gvproxy"}, name: "the better of slirp4netns and gvproxy", atLeast: 1.5},
			{cell: "TCP in, 1 stream", subject: "uswitch", beside: []string{"docker-proxy"}, atLeast: 0.5},
			{cell: "new connections", subject: "uswitch", beside: []string{"docker-proxy"}, atLeast: 0.95},
			{cell: "new connections", subject: "uswitch", beside: []string{"rootlesskit, builtin"}, atLeast: 1.2},
			{cell: "round trip of a byte", subject: "uswitch", beside: []string{"docker-proxy", "rootlesskit, builtin", "slirp4netns"},
				name: "the best of docker-proxy, rootlesskit and slirp4netns", atMost: 1.1},
		},
	}
}
