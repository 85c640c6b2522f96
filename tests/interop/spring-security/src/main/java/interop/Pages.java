package interop;

import com.nimbusds.jwt.SignedJWT;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.authentication.OAuth2AuthenticationToken;
import org.springframework.security.oauth2.client.oidc.userinfo.OidcUserRequest;
import org.springframework.security.oauth2.client.oidc.userinfo.OidcUserService;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class Pages {
  private final DefaultOAuth2AuthorizedClientManager refreshing;

  /** Takes every access token for expired, so that it is refreshed whenever this manager is asked. */
  Pages(ClientRegistrationRepository registrations, OAuth2AuthorizedClientRepository clients) {
    refreshing = new DefaultOAuth2AuthorizedClientManager(registrations, clients);
    refreshing.setAuthorizedClientProvider(
        OAuth2AuthorizedClientProviderBuilder.builder()
            .refreshToken(refresh -> refresh.clockSkew(Duration.ofDays(1)))
            .build());
  }

  @GetMapping("/")
  String home() {
    return "<a href=\"/oauth2/authorization/clave\">Ingresar</a>";
  }

  @GetMapping("/me")
  Map<String, Object> me(
      @AuthenticationPrincipal OidcUser user, @RegisteredOAuth2AuthorizedClient("clave") OAuth2AuthorizedClient client)
      throws Exception {
    return shown(user, client);
  }

  @GetMapping("/refresh")
  Map<String, Object> refresh(
      OAuth2AuthenticationToken authentication,
      @RegisteredOAuth2AuthorizedClient("clave") OAuth2AuthorizedClient client)
      throws Exception {
    var request = OAuth2AuthorizeRequest.withAuthorizedClient(client).principal(authentication).build();
    return shown((OidcUser) authentication.getPrincipal(), refreshing.authorize(request));
  }

  private Map<String, Object> shown(OidcUser user, OAuth2AuthorizedClient client) throws Exception {
    var access = client.getAccessToken();
    var request = new OidcUserRequest(client.getClientRegistration(), access, user.getIdToken());
    var digest = MessageDigest.getInstance("SHA-256").digest(access.getTokenValue().getBytes());
    return Map.of(
        "id_token", Map.of("iss", user.getIdToken().getIssuer(), "sub", user.getIdToken().getSubject()),
        "kid", SignedJWT.parse(user.getIdToken().getTokenValue()).getHeader().getKeyID(),
        "userinfo", new OidcUserService().loadUser(request).getUserInfo().getClaims(),
        "access_token", HexFormat.of().formatHex(digest, 0, 8));
  }
}
