import { bare, envelope, type FakeHandler, objectOf, refuse, text } from './answers.ts'

export const status: FakeHandler = ({ state }) =>
  bare({
    db_connected: true,
    broker_connected: false,
    is_broker_conn_open: false,
    license_error: '',
    is_pro: false,
    deployment_mode: 'self-hosted',
    trial_end_date: '0001-01-01T00:00:00Z',
    is_on_trial_license: false,
    version: `v${state.faults.version}`,
  })

export const featureFlags: FakeHandler = () =>
  envelope('', {
    enable_egress_ha: false,
    enable_network_activity: false,
    enable_oauth: false,
    enable_idp_integration: false,
    allow_multi_server_license: false,
    enable_gws_ha: false,
    enable_device_approval: false,
    enable_flow_logs: false,
    enable_posture_checks: false,
    enable_jit: false,
    enable_overlapping_egress_ranges: false,
  })

export const health: FakeHandler = () => text(200, 'Server is up and running!!')

export const readSettings: FakeHandler = ({ state }) =>
  envelope('fetched server settings successfully', {
    basic_auth: state.basicAuth,
    jwt_validity_duration: 720,
    jwt_validity_duration_clients: state.tokenMinutes,
    endpoint_detection: true,
    metrics_port: 51821,
    ip_detection_interval: 15,
    peer_connection_check_interval: '15',
  })

/** Replaces all, so what is left out is zero. */
export const writeSettings: FakeHandler = call => {
  const body = objectOf(call)
  if (!body?.jwt_validity_duration) return refuse(400, 'invalid settings: invalid jwt validity duration')
  call.state.basicAuth = body.basic_auth === true
  call.state.tokenMinutes = Number(body.jwt_validity_duration_clients ?? 0)
  return envelope('updated server settings successfully', body)
}
