package types

// Info is what docker info prints of a daemon, as far as there is something to say here.
type Info struct {
	Name              string
	ServerVersion     string // of the Docker whose rules the lab has; "uswitch" where it has its own
	Containers        int
	ContainersRunning int
	ContainersPaused  int
	ContainersStopped int
	Images            int // there are none
	Driver            string
	KernelVersion     string `json:",omitempty"`
	OperatingSystem   string
	OSType            string
	Architecture      string
	NCPU              int
	Swarm             SwarmInfo
	Warnings          []string
}

// SwarmInfo is what an Info says of Swarm, of which no lab is a part.
type SwarmInfo struct{ LocalNodeState string }
