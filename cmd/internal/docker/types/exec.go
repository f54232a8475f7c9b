package types

// ExecConfig is the body of POST /containers/NAME/exec: a program that is to run beside a container's own.
type ExecConfig struct {
	User        string // empty: the container's
	Privileged  bool   // with all capabilities
	AttachStdin bool
	Tty         bool
	Cmd         []string
	Env         []string
	WorkingDir  string
}

// ExecCreateResponse answers it.
type ExecCreateResponse struct {
	ID string `json:"Id"`
}

// ExecStartRequest is the body of POST /exec/ID/start.
type ExecStartRequest struct {
	Detach bool
	Tty    bool
}

// ExecInspect is what GET /exec/ID/json says.
type ExecInspect struct {
	ID          string
	ContainerID string
	Running     bool
	ExitCode    *int // once it has ended
	Pid         int
}
