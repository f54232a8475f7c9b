// Package compose makes containers and networks of a Compose project, and finds those of one again, in the words and the order of
// docker compose.
//
//	plan.LoadProject --> types.Project --> Up --> networks, then services in the order in which they need each other
//	                                              request.go: what a service asks Docker's API for
//	labels com.docker.compose.* <------------ what was made says whose it is: Down, Ps, Logs, Find need no file
//
// It speaks to the engine by package client alone; what an image is replaced by is the engine's business.
package compose
